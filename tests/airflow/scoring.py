"""A table that a rendered pipeline scores whole and in eight parts, in a whole Airflow with two workers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3

from tests.airflow.whole import Airflow, whole_airflow
from tests.fakes.postgres_server import postgres_server
from tests.fakes.releases import PREFIX, SETTINGS, deliver
from windlass.adapters.s3 import open_bucket
from windlass.delivery.release.archive import Archive, build_archive
from windlass.lint.check import check_project
from windlass.render.project import render_project

PROJECT = Path(__file__).with_name("scored")
WORKERS, PARTS = 2, 8


@dataclass(frozen=True)
class Scored:
    """What a run has delivered, and when each of its tasks began and ended, in seconds since the first began."""

    whole: bytes
    parts: bytes
    times: Mapping[str, tuple[float, float]]

    def seconds(self, *prefixes: str) -> float:
        """From the first begin to the last end of the tasks whose names begin so."""
        found = [span for name, span in self.times.items() if name.startswith(prefixes)]
        return max(end for _, end in found) - min(begin for begin, _ in found)

    @property
    def at_once(self) -> int:
        """How many of the parts' jobs ran at the same time, at most."""
        jobs = [span for name, span in self.times.items() if name.startswith("parts.score[")]
        return max(sum(begin <= start < end for begin, end in jobs) for start, _ in jobs)


def release() -> Archive:
    """The project as a release."""
    report = check_project(PROJECT, None)
    assert report.problems == []
    rendered = render_project(PROJECT, "flights", report.pipelines, report.catalog, {})
    manifest = {"manifest.json": rendered.manifest.model_dump_json().encode()}
    return build_archive("flights", rendered.files | manifest)


@contextmanager
def two_workers(folder: Path, endpoint: str) -> Iterator[Airflow]:
    """An Airflow that has the pipeline; the store at `endpoint` has the buckets, the process the credentials."""
    settings = SETTINGS.model_copy(update={"s3": SETTINGS.s3.model_copy(update={"endpoint": endpoint})})
    deliver(open_bucket("code", endpoint), {"flights": release()}, settings=settings)
    bundle = {
        "name": "windlass",
        "classpath": "windlass.airflow.bundle.ReleaseBundle",
        "kwargs": {"bucket": "code", "prefix": PREFIX, "endpoint": endpoint, "refresh_interval": 3600},
    }
    with postgres_server() as database:
        account = f"{database['user']}:{quote(str(database['password']))}"
        url = f"postgresql+psycopg2://{account}@{database['host']}:{database['port']}/{database['dbname']}"
        options = {
            "DATABASE__SQL_ALCHEMY_CONN": url,
            "DATABASE__SQL_ALCHEMY_POOL_SIZE": "2",
            "DATABASE__SQL_ALCHEMY_MAX_OVERFLOW": "1",
            "CORE__PARALLELISM": str(WORKERS),
        }
        more = {f"AIRFLOW__{name}": value for name, value in options.items()}
        with whole_airflow(folder, [bundle], more) as airflow:
            airflow.until("the DAG", lambda: len(airflow.ask("GET", "dags")["dags"]) == 1)
            airflow.tell("PATCH", "dags/scoring", {"is_paused": False})
            yield airflow


def score(airflow: Airflow, endpoint: str, table: bytes, run_id: str = "it") -> Scored:
    """One run over `table`."""
    s3 = boto3.client("s3", endpoint_url=endpoint)
    s3.put_object(Bucket="data", Key=f"{PREFIX}/incoming/flights.csv", Body=table)
    airflow.tell("POST", "dags/scoring/dagRuns", {"dag_run_id": run_id, "logical_date": None})
    for task in ("whole.keep", "parts.score__each", "parts.keep"):  # each is waited for with patience of its own
        airflow.until(task, partial(_ended, airflow, run_id, task))
    tasks = airflow.ask("GET", f"dags/scoring/dagRuns/{run_id}/taskInstances?limit=100")["task_instances"]
    assert {one["state"] for one in tasks} == {"success"}, airflow.said()
    assert sum(one["task_id"] == "parts.score" for one in tasks) == PARTS

    def delivered(name: str) -> bytes:
        content: bytes = s3.get_object(Bucket="data", Key=f"{PREFIX}/delivered/{name}")["Body"].read()
        return content

    return Scored(delivered("whole.csv"), delivered("parts.csv"), _times(tasks))


def _ended(airflow: Airflow, run_id: str, task: str) -> bool:
    states = airflow.tasks("scoring", run_id)
    lost = {name: state for name, state in states.items() if state in ("failed", "upstream_failed")}
    assert not lost, f"{json.dumps(lost)}\n{airflow.said()}"
    return states[task] == "success"


def _times(tasks: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    spans = {}
    for one in tasks:
        name = one["task_id"] + (f"[{one['map_index']}]" if one["map_index"] >= 0 else "")
        begin, end = (datetime.fromisoformat(one[key]).timestamp() for key in ("start_date", "end_date"))
        spans[name] = (begin, end)
    first = min(begin for begin, _ in spans.values())
    return {name: (begin - first, end - first) for name, (begin, end) in spans.items()}
