"""Pipelines in a whole Airflow: what only a scheduler and a triggerer do, in one start of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from tests.airflow.whole import Airflow, whole_airflow
from tests.fakes.http_stub import Stub, http_stub
from tests.fakes.mail_server import MailServer, mail_server
from tests.fakes.postgres_server import postgres_server
from tests.fakes.releases import PREFIX, SETTINGS, deliver
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.delivery.release.archive import Archive, build_archive
from windlass.lint.check import check_project
from windlass.render.project import render_project
from windlass.spec.environment import Receiver

pytestmark = pytest.mark.airflow

PROJECT = Path(__file__).with_name("scheduled")
RECEIVERS = {
    "ops": Receiver(connection="chat"),
    "business": Receiver(connection="mail", to=["scores@windlass.example"]),
}
SKIPPED_BY_REJECTION = {
    "work.names", "work.greet__each", "work.greet", "work.all", "choose.way", "load.full", "load.delta",
    "after.scoring", "after.broken",
}  # fmt: skip


@dataclass
class World:
    """What the runs left."""

    airflow: Airflow
    s3: Any
    web: Stub
    mail: MailServer
    scheduled: str
    waited: set[str]

    def delivered(self, name: str) -> str:
        content: bytes = self.s3.get_object(Bucket="data", Key=f"{PREFIX}/delivered/{name}")["Body"].read()
        return content.decode()

    @property
    def told(self) -> list[str]:
        return [request.body["text"] for request in self.web.requests]


def release() -> Archive:
    report = check_project(PROJECT, None)
    assert report.problems == []
    rendered = render_project(PROJECT, "shop", report.pipelines, report.catalog, {})
    manifest = {"manifest.json": rendered.manifest.model_dump_json().encode()}
    return build_archive("shop", rendered.files | manifest)


def connections(web: Stub, mail: MailServer) -> dict[str, str]:
    plain = {"disable_ssl": True, "disable_tls": True, "from_email": "windlass@windlass.example"}
    made = {
        "chat": {"conn_type": "http", "host": web.url},
        "mail": {"conn_type": "smtp", "host": "127.0.0.1", "port": mail.port, "extra": plain},
    }
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in made.items()}


def database_of(server: dict[str, Any]) -> dict[str, str]:
    account = f"{server['user']}:{quote(server['password'])}"
    url = f"postgresql+psycopg2://{account}@{server['host']}:{server['port']}/{server['dbname']}"
    few = {"AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "2", "AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW": "1"}
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url, **few}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("airflow")
    with (
        moto_server("code", "models", "data") as endpoint,
        http_stub(lambda request: (200, {})) as web,
        mail_server() as mail,
        postgres_server() as database,  # on SQLite the parts of an Airflow lock each other out when the machine is busy
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        from windlass.adapters.s3 import open_bucket

        settings = SETTINGS.model_copy(
            update={"s3": SETTINGS.s3.model_copy(update={"endpoint": endpoint}), "notify": RECEIVERS}
        )
        deliver(open_bucket("code", endpoint), {"shop": release()}, settings=settings)
        bundle = {
            "name": "windlass",
            "classpath": "windlass.airflow.bundle.ReleaseBundle",
            "kwargs": {"bucket": "code", "prefix": PREFIX, "endpoint": endpoint, "refresh_interval": 3600},
        }
        s3 = boto3.client("s3", endpoint_url=endpoint)
        with whole_airflow(folder, [bundle], connections(web, mail) | database_of(database)) as airflow:
            airflow.until("all DAGs", lambda: len(airflow.ask("GET", "dags")["dags"]) == 4)
            for dag_id in ("scoring", "broken", "follow_up", "evening"):  # only now: a task needs the API server
                airflow.tell("PATCH", f"dags/{dag_id}", {"is_paused": False})
            scheduled = airflow.until("the scheduled run", lambda: next(iter(airflow.runs("evening")), None))
            made = World(airflow, s3, web, mail, scheduled, set())
            go_through(made)
            yield made


def go_through(world: World) -> None:
    """Both runs of the evening, and all that they start."""
    airflow, s3 = world.airflow, world.s3
    body = {"dag_run_id": "second", "logical_date": None, "conf": {"mode": "delta"}}
    airflow.tell("POST", "dags/evening/dagRuns", body)
    for run_id in (world.scheduled, "second"):
        airflow.until(
            "a wait", lambda run_id=run_id: airflow.tasks("evening", run_id)["before.file"] == "up_for_reschedule"
        )
        world.waited.add(run_id)
    s3.put_object(Bucket="data", Key=f"{PREFIX}/incoming/orders.csv", Body=b"id\n")
    for run_id, answer in ((world.scheduled, "Approve"), ("second", "Reject")):
        where = f"dags/evening/dagRuns/{run_id}/taskInstances/ask.go_on/-1"
        airflow.until("a question", lambda run_id=run_id: airflow.has_left("ask.go_on", run_id))
        airflow.tell("PATCH", f"{where}/hitlDetails", {"chosen_options": [answer]})
    ended = {"success", "failed"}
    for dag_id, count in (("evening", 2), ("scoring", 1), ("broken", 1), ("follow_up", 1)):
        airflow.until(
            f"the ends of {dag_id}",
            lambda dag_id=dag_id, count=count: (
                len(found := airflow.runs(dag_id)) == count and set(found.values()) <= ended
            ),
        )


def test_a_scheduled_run_waits_is_approved_and_goes_its_way(world: World) -> None:
    assert world.scheduled.startswith("scheduled__")
    assert world.waited == {world.scheduled, "second"}
    assert world.airflow.tasks("evening", world.scheduled) == {
        "before.file": "success",
        "ask.go_on": "success",
        "work.names": "success",
        "work.greet__each": "success",
        "work.greet[0]": "success",
        "work.greet[1]": "success",
        "work.all": "success",
        "choose.way": "success",
        "load.full": "success",
        "load.delta": "skipped",
        "after.scoring": "success",
        "after.broken": "failed",
        "after.report": "success",
    }
    assert world.delivered("full.txt") == "hello a b\nhello $(id)\n"


def test_a_rejected_run_skips_what_follows(world: World) -> None:
    seen = world.airflow.tasks("evening", "second")
    assert {task for task, state in seen.items() if state == "skipped"} == SKIPPED_BY_REJECTION
    assert {task for task, state in seen.items() if state == "success"} == {"before.file", "ask.go_on", "after.report"}
    assert world.airflow.runs("evening") == {world.scheduled: "success", "second": "success"}


def test_a_pipeline_that_was_started_is_waited_for_and_its_end_is_the_tasks(world: World) -> None:
    assert world.airflow.runs("scoring") == {f"triggered__evening__after.scoring__{world.scheduled}": "success"}
    assert world.airflow.runs("broken") == {f"triggered__evening__after.broken__{world.scheduled}": "failed"}
    assert world.delivered("scored.txt") == f"{world.scheduled}\n"


def test_what_was_set_up_is_taken_down_after_two_tries_that_failed(world: World) -> None:
    (run_id,) = world.airflow.runs("broken")
    assert world.airflow.tasks("broken", run_id) == {
        "work.cluster": "success",
        "work.score": "failed",
        "work.remove": "success",
        "load.orders": "upstream_failed",
    }
    tries = world.airflow.ask("GET", f"dags/broken/dagRuns/{run_id}/taskInstances/work.score/-1/tries")
    assert len(tries["task_instances"]) == 2


def test_news_of_an_asset_start_the_pipeline_that_follows_it_once(world: World) -> None:
    ((run_id, state),) = world.airflow.runs("follow_up").items()
    assert (run_id.partition("__")[0], state) == ("asset_triggered", "success")
    assert world.airflow.tasks("follow_up", run_id) == {"take.news": "success", "say.done": "success"}


def test_everybody_who_is_named_hears_of_it_once(world: World) -> None:
    (broken,) = world.airflow.runs("broken")
    expected = {
        f"pipeline evening, run {world.scheduled} missed its deadline",
        "pipeline evening, run second missed its deadline",
        f"pipeline broken, run {broken}, task work.score is tried again",
        f"pipeline broken, run {broken} failed",
    }
    world.airflow.until("the messages", lambda: expected <= set(world.told) and len(world.mail.mails) >= 2)
    assert sorted(world.told) == sorted(expected)
    mails = sorted(world.mail.mails)
    assert len(mails) == 2
    assert all("ended well" in mail and "To: scores@windlass.example" in mail for mail in mails)
