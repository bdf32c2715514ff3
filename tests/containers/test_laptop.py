"""`windlass run --backend docker`: the same contract in an image, by the command line of docker or podman."""

import shlex
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.podman import Podman
from tests.jobs.laptop import Laptop, Ran, job

pytestmark = pytest.mark.airflow

IMAGES = """
s3: {code: code, models: models, data: data}
flavors: {cpu-1gb: {cpus: 1, memory: 64Mi}}
jobs: {network: host}
images: {python3-11: "localhost/user:1", absent: "localhost/absent:1"}
"""


@pytest.fixture
def laptop(tmp_path: Path, podman: Podman) -> Laptop:
    """A laptop whose `docker` is podman."""
    laptop = Laptop(tmp_path)
    laptop.write("environments/dev.yml", IMAGES)
    lines = [f"export {name}={shlex.quote(podman.environment[name])}" for name in ("CONTAINERS_CONF", "TMPDIR")]
    shim = laptop.write("bin/docker", "\n".join(["#!/bin/sh", *lines, f'exec {shlex.join(podman.command())} "$@"', ""]))
    shim.chmod(0o755)
    return laptop


@pytest.fixture
def run(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a script in the image; its one output is `out`."""
    path = f"{laptop.folder}/bin:{Path(shutil.which('podman') or '/').parent}:/usr/sbin:/usr/bin:/sbin:/bin"
    monkeypatch.setenv("PATH", path)

    def begin(script: str, limit: str = "1 minute", image: str = "python3-11") -> Ran:
        more = ", inputs: {data: a.take.data}, outputs: {out: out.txt}"
        take = "{operator_type: s3_to_file, key: a.csv, outputs: {data: a.csv}}"
        keep = "{operator_type: deliver, inputs: {data: b.job.out}, to: x.txt}"
        written = job(f"cat {{data}} > {{out}}; {script}", more, limit).replace("python3-11", image)
        laptop.pipeline("p", f"  a:\n    take: {take}\n  b:\n    job: {written}\n    keep: {keep}\n")
        laptop.write("in.csv", "id\n1\n")
        return laptop.run("p", "job", "--input", "data=in.csv", "--backend", "docker", "--env", "dev", "--json")

    return begin


def test_a_job_in_an_image_has_the_same_contract(run: Callable[..., Ran], podman: Podman) -> None:
    ran = run("pwd >> {out}; env | sort >> {out}; ls /windlass >> {out}; echo {data} {out} >> {out}; echo said")
    assert ran.code == 0, ran.err
    lines = Path(ran.json["folder"], "b.job/out.txt").read_text().splitlines()
    assert lines[:3] == ["id", "1", "/windlass/work"]
    assert {"HOME=/windlass/work", "TMPDIR=/windlass/tmp", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1"} <= set(lines)
    assert {"WINDLASS_TASK=b.job", "WINDLASS_ENVIRONMENT=dev", "WINDLASS_MAP_INDEX=0", "WINDLASS_TRY=1"} <= set(lines)
    assert "/windlass/inputs/data/a.csv /windlass/outputs/out/out.txt" in lines
    assert "[b.job] said" in ran.err
    assert podman.left() == []


@pytest.mark.parametrize(
    ("script", "limit", "reason"),
    [
        ("echo last words; exit 3", "1 minute", "the script ended with exit code 3 after"),
        ("sleep 600", "2 seconds", "the script was stopped at its time limit of 2 seconds"),
        ("kill -USR1 $$", "1 minute", "the script was killed by SIGUSR1"),
        (": > {out}", "1 minute", "the script left output 'out' (out.txt) empty"),
        ("ln -sf /etc/passwd {out}", "1 minute", "left output 'out' (out.txt) as something else than a file"),
    ],
)
def test_the_reasons_are_those_of_a_job_without_a_container(
    run: Callable[..., Ran], podman: Podman, script: str, limit: str, reason: str
) -> None:
    ran = run(script, limit)
    assert ran.code == 1 and reason in ran.err, ran.err
    assert podman.left() == []


def test_an_image_that_is_nowhere_is_one_sentence(run: Callable[..., Ran]) -> None:
    ran = run("true", image="absent")
    assert ran.code == 3 and "docker has no image 'localhost/absent:1'" in ran.err, ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_container_is_left_when_windlass_is_stopped_or_killed(
    run: Callable[..., Ran], laptop: Laptop, podman: Podman, number: int
) -> None:
    run("true")  # writes the pipeline and the input
    path = laptop.folder / "pipelines/p.yml"
    path.write_text(path.read_text().replace("; true", "; echo begun; trap '' TERM; sleep 600"))
    more = ("--input", "data=in.csv", "--backend", "docker", "--env", "dev")
    process = laptop.start("p", "job", *more)
    assert process.stderr is not None
    while "begun" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    process.communicate(timeout=60)
    end = time.monotonic() + 60
    while podman.left():
        assert time.monotonic() < end
        time.sleep(0.2)
