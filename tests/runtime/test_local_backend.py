"""Jobs on a worker that misbehave: a clear reason, no process, no file and no half a file left."""

import hashlib
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.runtime.test_process import alive, sleeper
from windlass.runtime import lines
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.local_backend import run_locally
from windlass.runtime.settings import Settings

FLAVORS = {"small": {"cpus": 1, "memory": "64Mi"}}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server("data", "models") as address:
        yield address


@pytest.fixture(autouse=True)
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The worker's folder for temporary files."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


class Worker:
    """Runs one task after the other; `printed` is the task's log."""

    def __init__(self, endpoint: str) -> None:
        self.s3 = boto3.client("s3", endpoint_url=endpoint)
        self.settings = Settings("dev", "dev", "data", "models", endpoint, "local", FLAVORS, {}, {})
        self.printed: list[str] = []
        self.number = 0

    def run(self, script: str, seconds: float = 30, inputs: Any = None, outputs: Any = None) -> dict[str, Any]:
        self.number += 1
        task: Any = SimpleNamespace(
            execution_script=script,
            execution_time=timedelta(seconds=seconds),
            inputs=inputs or {},
            outputs={"out": "out.csv"} if outputs is None else outputs,
            parameters={},
            resource_flavor="small",
            log=SimpleNamespace(info=lambda text, *values: self.printed.append(text % values if values else text)),
            rendered=lambda script, _: script.text,
        )
        instance = SimpleNamespace(dag_id="it", task_id="a.b", run_id="run 1", try_number=self.number, map_index=-1)
        return run_locally(task, {"ti": instance}, self.settings)

    def keys(self) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket="data", Prefix="dev/").get("Contents", [])]


@pytest.fixture
def runs(endpoint: str) -> Worker:
    return Worker(endpoint)


@pytest.fixture
def mark() -> str:
    return f"mark-{uuid.uuid4().hex}"


@pytest.mark.parametrize(
    ("script", "seconds", "reason"),
    [
        ("SLEEP", 1, "the script was stopped at its time limit of 1 second after "),
        ("SLEEP & SLEEP & setsid SLEEP & exit 3", 30, "the script ended with exit code 3 after "),
        ("SLEEP & kill -KILL $$", 30, "the script was killed by SIGKILL; too little memory is the usual cause after "),
        ("kill -KILL $PPID; SLEEP", 30, "the script ended unseen: the process that watches over it was killed after "),
        ("echo said; exit 4", 30, "; its last line: 'said'"),
        ("SLEEP &", 30, "the script ended well but output 'out' (out.csv) was not written"),
        (": > {out}", 30, "the script left output 'out' (out.csv) empty"),
        ("ln -s /etc/passwd {out}", 30, "left output 'out' (out.csv) as something else than a file"),
        ("MEMORY", 30, "the script was ended because it needs more memory than the 64Mi of its flavor 'small' after "),
    ],
)
def test_a_job_that_misbehaves_leaves_a_reason_and_nothing_else(
    runs: Worker, worker: Path, mark: str, script: str, seconds: float, reason: str
) -> None:
    before = runs.keys()
    hog = f"{sys.executable} -c 'kept = bytearray(300_000_000); import time; time.sleep(300)' {mark}"
    with pytest.raises(RuntimeStop) as stop:
        runs.run(script.replace("SLEEP", sleeper(mark)).replace("MEMORY", hog), seconds)
    assert reason in str(stop.value)
    end = time.monotonic() + 20
    while alive(mark):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert list(worker.iterdir()) == [] and runs.keys() == before


def test_a_job_that_prints_a_hundred_megabytes_does_not_fill_the_log(runs: Worker) -> None:
    runs.run(f"echo x > {{out}}; yes {'x' * 999} | head -c 100000000; echo the end")
    assert sum(map(len, runs.printed)) < lines.FIRST + lines.LAST + 10_000
    assert "the end" in runs.printed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_runs_on_when_the_worker_dies(endpoint: str, worker: Path, mark: str, number: int) -> None:
    code = textwrap.dedent(f"""
        import sys, tempfile
        from tests.runtime.test_local_backend import Worker
        tempfile.tempdir = {str(worker)!r}
        Worker({endpoint!r}).run({sleeper(mark)!r}, 300)
    """)
    process = subprocess.Popen([sys.executable, "-c", code, "worker"], cwd=Path(__file__).parents[2])
    end = time.monotonic() + 60
    while not any("time.sleep" in command and "Worker" not in command for command in alive(mark)):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    process.wait(60)
    while alive(mark):
        assert time.monotonic() < end + 60
        time.sleep(0.05)


def test_each_try_writes_elsewhere_so_a_retry_never_reads_half_a_file(runs: Worker) -> None:
    first = runs.run("echo one > {out}")["out"]
    with pytest.raises(RuntimeStop):
        runs.run("echo two > {out}; exit 1")
    third = runs.run("echo three > {out}")["out"]
    assert first["key"].split("/")[-2:] == ["1-0", "out.csv"] and third["key"].split("/")[-2:] == ["3-0", "out.csv"]
    body = runs.s3.get_object(Bucket="data", Key=first["key"])["Body"].read()
    assert body == b"one\n"  # a task that was given the first still has what it was given
    again = runs.run("cat {data} > {out}", inputs={"data": third})["out"]
    assert again["sha256"] == hashlib.sha256(b"three\n").hexdigest()


def test_several_files_go_in_and_out_each_to_its_port(runs: Worker) -> None:
    names = [f"p{number}" for number in range(7)]
    made = runs.run("; ".join(f"echo {n} > {{{n}}}" for n in names), outputs={n: f"{n}.txt" for n in names})
    listed = runs.run("cat {all}/* > {out}", inputs={"all": [made[n] for n in reversed(names)]})["out"]
    body = runs.s3.get_object(Bucket="data", Key=listed["key"])["Body"].read()
    assert body.split() == [n.encode() for n in reversed(names)]
    each = runs.run(f"cat {' '.join(f'{{{n}}}' for n in names)} > {{out}}", inputs=made)["out"]
    assert runs.s3.get_object(Bucket="data", Key=each["key"])["Body"].read().split() == [n.encode() for n in names]


def test_one_input_that_is_gone_stops_the_job_before_it_begins(runs: Worker) -> None:
    there = runs.run("echo x > {out}")["out"]
    gone = {**there, "key": "dev/gone.csv"}
    with pytest.raises(RuntimeStop, match=r"there is no object s3://data/dev/gone\.csv"):
        runs.run("echo begun > {out}", inputs={"a": there, "b": gone, "c": there})
    assert "begun" not in runs.printed
    runs.s3.put_object(Bucket="data", Key="dev/odd.csv", Body=b"\x1f\x8b...")
    odd = {**there, "key": "dev/odd.csv", "sha256": hashlib.sha256(b"\x1f\x8b...").hexdigest()}
    with pytest.raises(RuntimeStop, match="is gzip inside"):
        runs.run("true", inputs={"a": odd})
