"""What windlass adds to a job that does nothing: on a laptop, and on a worker with its files in S3."""

import hashlib
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.landscape import BUCKET, Landscape
from bench.report import figure, table, write_part
from windlass.jobs.one_job import OneJob, run_one
from windlass.jobs.run_context import RunContext
from windlass.runtime.local_backend import run_locally
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage
from windlass.spec.task import Job

ROUNDS = 30
LIMIT = timedelta(minutes=1)
NOTHING = "true"
COPIES = "cat {data} > {out}"


def measure(land: Landscape, rounds: int = ROUNDS) -> None:
    """Measures and writes the part of the page."""
    import boto3

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content = b"id\n" + b"1\n" * 1000
        (folder / "a.csv").write_bytes(content)
        boto3.client("s3", endpoint_url=land.server).put_object(Bucket=BUCKET, Key="dev/a.csv", Body=content)
        worker = _worker(land, content)
        ways: dict[str, Callable[[], None]] = {
            "`sh -c true`": lambda: _bare(folder),
            "on a laptop: `true`": lambda: _laptop(folder, NOTHING, with_files=False),
            "on a laptop: a file in and out": lambda: _laptop(folder, COPIES, with_files=True),
            "on a worker: `true`": lambda: worker(NOTHING, with_files=False),
            "on a worker: a file in and out, by S3 on this machine": lambda: worker(COPIES, with_files=True),
        }
        found: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, act in ways.items():
                begin = time.perf_counter()
                act()
                found[way].append((time.perf_counter() - begin) * 1000)
    bare = sorted(found["`sh -c true`"])[rounds // 2]
    rows = [(way, figure(times, "ms"), f"{sorted(times)[rounds // 2] - bare:.0f} ms") for way, times in found.items()]
    write_part(
        "jobs",
        f"""A job that does nothing, {rounds} rounds in turns; the file has 2 kB. On a worker a
client of S3 is made each time, as each task does.

{table(("what", "time, median (range)", "more than the process itself"), rows)}""",
    )


def _bare(folder: Path) -> None:
    subprocess.run(["/bin/sh", "-c", NOTHING], cwd=folder, check=True)


def _laptop(folder: Path, script: str, *, with_files: bool) -> None:
    job = Job(docker_image="any", execution_time=LIMIT, execution_script=script)
    inputs = {"data": folder / "a.csv"} if with_files else {}
    outputs = {"out": "out.csv"} if with_files else {}
    run = RunContext("bench", datetime(2026, 1, 1, tzinfo=UTC), folder)
    run_one(OneJob(job, "a.b", inputs, outputs, folder / "run", run), lambda line: None)


def _worker(land: Landscape, content: bytes) -> Any:
    settings = Settings("dev", "dev", BUCKET, BUCKET, land.server, "local", {}, {}, {})
    reference = {
        "key": "dev/a.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "name": "a.csv",
    }
    instance = SimpleNamespace(dag_id="bench", task_id="a.b", run_id="run", try_number=1, map_index=-1)
    Storage(land.server)  # what boto3 reads of its own files when it is first asked is no part of a job

    def run(script: str, *, with_files: bool) -> None:
        task = SimpleNamespace(
            execution_script=script,
            execution_time=LIMIT,
            inputs={"data": reference} if with_files else {},
            outputs={"out": "out.csv"} if with_files else {},
            parameters={},
            resource_flavor=None,
            log=SimpleNamespace(info=lambda *_: None),
            rendered=lambda script, _: script.text,
        )
        run_locally(task, {"ti": instance}, settings)

    return run
