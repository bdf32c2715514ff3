"""A review in a real Airflow: paused, without a schedule, followed by nobody, started by hand, and gone again."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.airflow.processor import PASSWORD, airflow_home, running
from tests.airflow.whole import Airflow
from tests.fakes.releases import PREFIX, SETTINGS
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.adapters.airflow import AirflowApi
from windlass.catalog.read import read_catalog
from windlass.delivery.place import Place
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.perform import Author, perform
from windlass.delivery.promotion.remove import remove
from windlass.delivery.promotion.survey import deciding_promotion
from windlass.delivery.release.archive import Release, read_archive
from windlass.delivery.release.build import build_release
from windlass.delivery.release.publish import publish
from windlass.delivery.review.rows import clear_rows
from windlass.delivery.review.up import deciding_review
from windlass.delivery.verification.verify import Expectation, Seen, verify
from windlass.render.project import render_project
from windlass.render.review import review_pipelines
from windlass.spec.airflow import DagReport
from windlass.spec.document import parse_document
from windlass.spec.environment import Airflow as Settings
from windlass.spec.errors import TransientError
from windlass.spec.pipeline import Pipeline, read_pipeline
from windlass.spec.release import Provenance
from windlass.spec.state import State
from windlass.spec.store import Store

pytestmark = pytest.mark.airflow

PIPELINES = {
    "pipelines/rates.yml": """\
dag: {name: rates, schedule: "@daily"}
tasks:
  take: {file: {operator_type: s3_to_file, key: incoming/rates.csv, outputs: {data: rates.csv}}}
  keep: {out: {operator_type: deliver, to: rates.csv, inputs: {data: take.file.data}, assets: {out: [rates]}}}
""",
    "pipelines/follow.yml": """\
dag: {name: follow, schedule: {assets: [rates]}}
tasks:
  wait: {own: {operator_type: wait_for_asset, asset: rates}}
""",
}
ONE = "1" * 40


@dataclass
class World:
    """dev: a bucket and an Airflow that follows it."""

    folder: Path
    store: Store
    airflow: Airflow

    @property
    def place(self) -> Place:
        return Place("dev", PREFIX, self.store, self.store)

    @property
    def api(self) -> AirflowApi:
        url = self.airflow.home.url
        return AirflowApi(Settings(url=url, username="windlass", password=SecretStr(PASSWORD)), "dev")

    def release(self, project: str, review: int | None = None) -> Release:
        """The release of the pipelines, or of their review, published in dev."""
        pipelines: dict[str, Pipeline] = {}
        for path, text in PIPELINES.items():
            (self.folder / path).parent.mkdir(exist_ok=True)
            (self.folder / path).write_text(text)
            found = read_pipeline(parse_document(path, text.encode()))
            assert found is not None
            pipelines[path] = found
        if review:
            pipelines = review_pipelines(pipelines, project, review)
        catalog = read_catalog(self.folder, ("s3_to_file", "deliver", "wait_for_asset"))
        rendered = render_project(self.folder, project, pipelines, catalog, {}, paused=review is not None)
        archive = build_release(rendered.files, rendered.manifest)
        built = {"built_at": "2026-11-22T09:30:00Z", "tool_version": "0"}
        publish(self.place, archive, Provenance(project=project, release=archive.digest, commit=ONE, **built))
        return read_archive(project, archive.digest, archive.content)

    def verify(self, state: State, project: str) -> Seen:
        return verify(self.api, "windlass", Expectation(self.place, state, project), 90)

    def reports(self) -> dict[str, DagReport]:
        return {report.dag_id: report for report in self.api.dags("windlass")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with moto_server("code") as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        from windlass.adapters.s3 import open_bucket

        given = {"bucket": "code", "prefix": PREFIX, "endpoint": endpoint, "refresh_interval": 1}
        entry = {"name": "windlass", "classpath": "windlass.airflow.bundle.ReleaseBundle", "kwargs": given}
        home = airflow_home(tmp_path, [entry], {"AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False"})
        with running(home):
            made = World(tmp_path, open_bucket("code", endpoint), Airflow(home))
            end = time.monotonic() + 90
            while not answers(made.api):
                assert time.monotonic() < end, home.log.read_text()[-3000:]
                time.sleep(0.3)
            yield made


def answers(api: AirflowApi) -> bool:
    try:
        return api.processor_problem() is None
    except TransientError:
        return False


def test_a_review_in_airflow_gets_into_nobodys_way_and_leaves_no_trace(world: World) -> None:
    place, author = world.place, Author(actor="ann")
    real, review = world.release("bank"), world.release("bank_mr7", 7)
    perform(deciding_promotion(place, place, SETTINGS, real, Origin(ONE)), place, place, author)
    state = perform(deciding_review(place, SETTINGS, review, Origin(ONE)), place, place, author).state
    assert set(world.verify(state, "bank").versions) == {"rates", "follow"}
    assert set(world.verify(state, "bank_mr7").versions) == {"rates_mr7", "follow_mr7"}
    paused = {dag_id: report.is_paused for dag_id, report in world.reports().items()}
    assert paused == {"rates": False, "follow": False, "rates_mr7": True, "follow_mr7": True}

    scheduled = {dag_id: world.airflow.ask("GET", f"dags/{dag_id}")["timetable_summary"] for dag_id in paused}
    assert (scheduled["rates_mr7"], scheduled["follow_mr7"]) == (None, None)
    assert scheduled["rates"] is not None
    assert shown(world, "bank_mr7") == {"rates_mr7", "follow_mr7"}, "the link of the review shows these and no others"
    followers = {one["name"]: ids(one["scheduled_dags"]) for one in world.airflow.ask("GET", "assets")["assets"]}
    makers = {one["name"]: ids(one["producing_tasks"]) for one in world.airflow.ask("GET", "assets")["assets"]}
    assert (followers["rates"], makers["rates"]) == ({"follow"}, {"rates"})
    assert (followers["bank_mr7/rates"], makers["bank_mr7/rates"]) == (set(), {"rates_mr7"})

    run = world.api.trigger("rates_mr7", run_id="by_hand")
    assert (run.state, run.version) == ("queued", state.name), "somebody may start it"
    world.api.unpause("rates_mr7")
    assert [one.run_id for one in world.api.runs("rates_mr7")] == ["by_hand"], "and nobody else does"

    assert [why for _, why in clear_rows(world.api, "windlass", "bank_mr7").left] == [
        "Airflow has not noticed yet that it went"
    ] * 2
    _, swap = remove(place, "bank_mr7", author)
    assert swap is not None
    assert world.verify(swap.state, "bank_mr7").gone == ["follow_mr7", "rates_mr7"]
    cleared = clear_rows(world.api, "windlass", "bank_mr7")
    assert (cleared.gone, cleared.left) == (("follow_mr7", "rates_mr7"), ())
    assert set(world.reports()) == {"rates", "follow"}
    assert set(world.verify(swap.state, "bank").versions) == {"rates", "follow"}

    again = perform(deciding_review(place, SETTINGS, review, Origin(ONE)), place, place, author).state
    world.verify(again, "bank_mr7")
    assert world.reports()["rates_mr7"].is_paused, "a review that comes again begins anew"
    assert world.api.runs("rates_mr7") == []


def shown(world: World, tag: str) -> set[str]:
    return {dag["dag_id"] for dag in world.airflow.ask("GET", f"dags?tags={tag}")["dags"]}


def ids(found: list[dict[str, Any]]) -> set[str]:
    return {one["dag_id"] for one in found}
