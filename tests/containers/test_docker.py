"""Jobs in Docker containers: DockerOperator over podman's Docker socket."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.containers.cases import CASES, PRINTS, Case
from tests.containers.conftest import Ends, end_all, make_job, put, settings_for
from tests.fakes.podman import Podman
from tests.fakes.pods_api import wait_until
from windlass.runtime.container_job import container_job
from windlass.runtime.container_scripts import JOB_COMMAND
from windlass.runtime.container_words import check_kept, last_word
from windlass.runtime.docker_backend import run_in_docker
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.process import Limits
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage

pytestmark = pytest.mark.airflow
Make = Callable[..., tuple[Any, dict[str, Any]]]


@pytest.fixture(scope="module")
def settings(podman: Podman, endpoint: str) -> Settings:
    return settings_for(endpoint, {"backend": "docker", "daemon": podman.socket, "network": "host"})


@pytest.fixture(scope="module")
def ends(
    settings: Settings, storage: Storage, podman: Podman, airflow_home: None, tmp_path_factory: pytest.TempPathFactory
) -> Ends:
    return end_all(run_in_docker, settings, storage, podman, tmp_path_factory.mktemp("inputs"))


@pytest.mark.parametrize("image", ["user", "nobody"])
def test_files_come_in_and_go_out_whoever_the_image_runs_as(
    settings: Settings, storage: Storage, job: Make, podman: Podman, tmp_path: Path, image: str
) -> None:
    data = put(storage, tmp_path, "dev/x/a.csv", b"a\r\n\xff\x00\n")
    task, context = job("umask 077; cat {data} > {out}; echo said", inputs={"data": data}, outputs={"out": "out.csv"})
    task.docker_image = image
    kept = run_in_docker(task, context, settings)
    storage.fetch("data", kept["out"]["key"], tmp_path / "back", kept["out"]["sha256"])
    assert (tmp_path / "back").read_bytes() == b"a\r\n\xff\x00\n"
    assert podman.left() == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_job_that_goes_wrong_ends_with_a_reason(ends: Ends, case: Case) -> None:
    ends.check(case)


def test_jobs_that_went_wrong_have_left_nothing(ends: Ends) -> None:
    assert ends.left == []


def test_the_script_sees_where_it_runs_and_no_credentials(settings: Settings, storage: Storage, job: Make) -> None:
    task, context = job("env > {out}; cat /proc/*/environ >> {out}", outputs={"out": "out.txt"})
    kept = run_in_docker(task, context, settings)
    seen = b"".join(storage.chunks("data", kept["out"]["key"])).decode()
    names = {line.partition("=")[0] for line in seen.partition("\0")[0].splitlines()}
    assert {name for name in names if name.startswith("WINDLASS_")} == {
        *("WINDLASS_PIPELINE", "WINDLASS_TASK", "WINDLASS_RUN_ID"),
        *("WINDLASS_ENVIRONMENT", "WINDLASS_TRY", "WINDLASS_MAP_INDEX"),
    }
    assert "HOME=/windlass/work\n" in seen
    assert "AWS_" not in seen


def test_a_hundred_megabytes_of_output_are_no_hundred_megabytes_of_log(
    settings: Settings, job: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    task, context = job(f"{PRINTS}; exit 5")
    with pytest.raises(RuntimeStop, match=r"ended with exit code 5 after .* its last line: 'end'"):
        run_in_docker(task, context, settings)
    logged = capsys.readouterr().out
    assert "lines are left out here" in logged
    assert logged.count("0123456789" * 7) < 200_000


def test_a_task_that_is_stopped_stops_its_script_politely(
    settings: Settings, job: Make, podman: Podman, tmp_path: Path
) -> None:
    task, context = job("trap 'echo polite; exit 0' TERM; echo begun; sleep 600 & wait")
    told = threading.Thread(target=lambda: stop_when_begun(task, podman))
    told.start()
    with pytest.raises(RuntimeStop, match="was stopped from outside"):
        run_in_docker(task, context, settings)
    told.join()
    assert podman.left() == []


def stop_when_begun(task: Any, podman: Podman) -> None:
    """What Airflow does at SIGTERM, but from a thread, so that the exception ends that thread only."""
    begun(podman)
    with suppress(RuntimeStop):
        task.on_kill()


def begun(podman: Podman) -> str:
    """The container of the one job, when its script has begun to print."""
    wait_until(lambda: any(name.endswith("-job") for name in podman.left()))
    name = next(name for name in podman.left() if name.endswith("-job"))
    wait_until(lambda: "begun" in podman("logs", name, check=False))
    return name


def test_a_container_that_somebody_kills_is_a_reason_of_its_own(settings: Settings, job: Make, podman: Podman) -> None:
    task, context = job("echo begun; sleep 600")
    told = threading.Thread(target=lambda: podman("kill", "--signal", "KILL", begun(podman)))
    told.start()
    with pytest.raises(RuntimeStop, match="the script ended unseen: its container was killed"):
        run_in_docker(task, context, settings)
    told.join()
    assert podman.left() == []


def test_what_a_killed_worker_started_is_removed(
    settings: Settings, storage: Storage, podman: Podman, airflow_home: None
) -> None:
    worker = os.fork()
    if worker == 0:
        try:
            task, context = make_job("sleep 600")
            run_in_docker(task, context, settings)
        finally:
            os._exit(1)
    wait_until(lambda: any(name.endswith("-job") for name in podman.left()))
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    wait_until(lambda: podman.left() == [])


def test_what_a_machine_that_went_down_has_left_is_removed_by_the_next_try(
    settings: Settings, job: Make, podman: Podman
) -> None:
    task, context = job("true")
    instance = context["ti"]
    of = f"{instance.dag_id}/{instance.run_id}/{instance.task_id}/{instance.map_index}"
    for name, labels in {"same": (of, "99999999999"), "old": ("x", "1"), "other": ("x", "99999999999")}.items():
        options = [
            "--label",
            "windlass.job=x",
            "--label",
            f"windlass.of={labels[0]}",
            "--label",
            f"windlass.until={labels[1]}",
        ]
        podman("create", "--name", name, *options, "user:1", "true")
        podman("volume", "create", *options, f"{name}_volume")
    run_in_docker(task, context, settings)
    left = podman.left()
    podman("rm", "other")
    podman("volume", "rm", "other_volume")
    assert sorted(left) == ["other", "other_volume"]


def test_a_daemon_that_is_away_is_a_reason(settings: Settings, job: Make) -> None:
    away = replace(settings, jobs={**settings.jobs, "daemon": "unix:///nowhere.sock"})
    with pytest.raises(RuntimeStop, match=r"the Docker daemon at unix:///nowhere\.sock does not answer as it should"):
        run_in_docker(*job("true"), away)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("cat /dev/zero > fill; exit 7", "ended with exit code 7 after"),
        ("cat /dev/zero > {out} 2>&1", "ended with exit code 1 after"),
    ],
)
def test_a_script_that_fills_its_disk_still_has_a_reason(
    settings: Settings, storage: Storage, job: Make, podman: Podman, tmp_path: Path, script: str, reason: str
) -> None:
    task, context = job(script, outputs={"out": "out.csv"})
    planned = container_job(task, context, settings, storage)
    (tmp_path / "small").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=1777", "small", tmp_path / "small"], check=True)
    volume = ["--network", "host", "--volume", f"{tmp_path}/small:/windlass"]
    podman("run", "--rm", *volume, "stage:1", *planned.stage)
    said = podman(
        "run", "--rm", *volume, "--entrypoint", json.dumps(JOB_COMMAND[:1]), "user:1", *JOB_COMMAND[1:], check=False
    )
    kept = podman("run", "--rm", *volume, "stage:1", *planned.keep, check=False)
    subprocess.run(["umount", tmp_path / "small"], check=True)
    with pytest.raises(RuntimeStop) as stop:
        check_kept(last_word(kept), task, tuple(said.splitlines()), Limits())
    assert reason in str(stop.value)
