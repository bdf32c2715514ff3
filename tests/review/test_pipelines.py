"""What becomes of pipelines in a review: names, schedules, assets, places in the bucket, and whom they start."""

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from windlass.catalog.read import read_catalog
from windlass.render.project import RenderedProject, render_project
from windlass.render.review import review_pipelines
from windlass.spec.document import parse_document
from windlass.spec.errors import DeliveryError
from windlass.spec.names import project_name
from windlass.spec.pipeline import Pipeline, read_pipeline
from windlass.spec.resolved import Resolved, read_resolved, resolved
from windlass.spec.review import review_name, reviewed
from windlass.stack.object_store import lifecycle
from windlass.stack.policies import DATA

RATES = """\
dag:
  name: rates
  schedule: "0 6 * * *"
  catchup: true
  deadline: 2 hours
  tags: [risk]
  notify: {failure: [ops]}
tasks:
  take:
    file: {operator_type: s3_to_file, key: incoming/rates.csv, outputs: {data: rates.csv}}
  keep:
    inner:
      out:
        operator_type: deliver
        to: "rates/{ds}.csv"
        inputs: {data: take.file.data}
        assets: {in: [bank], out: [rates]}
    shared: {operator_type: file_to_s3, key: reference/rates.csv, inputs: {data: take.file.data}, needs: [take.file]}
    next: {operator_type: trigger_pipeline, pipeline: score}
    foreign:
      operator_type: airflow.providers.standard.operators.trigger_dagrun.TriggerDagRunOperator
      trigger_dag_id: score
environments:
  dev:
    dag: {schedule: "@hourly"}
    tasks: {keep: {shared: {key: reference/dev.csv}}}
"""
SCORE = """\
dag: {name: score, schedule: {assets: [rates, bank]}}
tasks:
  wait:
    own: {operator_type: wait_for_asset, asset: rates}
    other: {operator_type: wait_for_asset, asset: bank}
"""
OPERATORS = ("s3_to_file", "deliver", "file_to_s3", "trigger_pipeline", "wait_for_asset")


def pipeline(text: str) -> Pipeline:
    document = parse_document("x.yml", text.encode())
    found = read_pipeline(document)
    assert found is not None, document.problems
    return found


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Pipeline]:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/rates.yml").write_text(RATES)
    (tmp_path / "pipelines/score.yml").write_text(SCORE)
    return {"pipelines/rates.yml": pipeline(RATES), "pipelines/score.yml": pipeline(SCORE)}


@pytest.fixture
def rendered(written: dict[str, Pipeline], tmp_path: Path) -> RenderedProject:
    changed = review_pipelines(written, "bank_mr7", 7)
    return render_project(tmp_path, "bank_mr7", changed, read_catalog(tmp_path, OPERATORS), {}, paused=True)


def test_a_review_has_its_own_dags_which_are_paused_and_have_no_schedule(rendered: RenderedProject) -> None:
    assert sorted(rendered.manifest.pipelines) == ["rates_mr7", "score_mr7"]
    assert rendered.manifest.project == "bank_mr7"
    for name in ("rates_mr7", "score_mr7"):
        source = rendered.files[f"dags/{name}.py"].decode()
        (call,) = [node for node in ast.walk(ast.parse(source)) if _is_dag(node)]
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert given["dag_id"] == repr(name)
        assert (given["schedule"], given["catchup"], given["is_paused_upon_creation"]) == ("None", "False", "True")
        assert ast.literal_eval(given["tags"])[-2:] == ["review", "bank_mr7"]
        assert not given.keys() & {"deadline", "on_failure_callback"}


def _is_dag(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DAG"


def test_only_a_review_is_paused(written: dict[str, Pipeline], tmp_path: Path) -> None:
    real = render_project(tmp_path, "bank", written, read_catalog(tmp_path, OPERATORS), {})
    assert all(b"is_paused_upon_creation" not in content for content in real.files.values())


def test_nothing_that_a_review_writes_is_where_the_real_project_writes(rendered: RenderedProject) -> None:
    source = rendered.files["dags/rates_mr7.py"].decode()
    for place in ("windlass-reviews/bank_mr7/rates/{ds}.csv", "windlass-reviews/bank_mr7/reference/dev.csv"):
        assert repr(place).strip("'") in source
    assert "'rates/{ds}.csv'" not in source.replace('"', "'")
    assert "'reference/" not in source.replace('"', "'")


def test_what_a_review_writes_expires_and_what_the_real_project_delivers_stays(
    rendered: RenderedProject, written: dict[str, Pipeline]
) -> None:
    rules = [rule for rule in lifecycle()[DATA]["Rules"] if "Expiration" in rule]

    def keys(pipelines: Iterable[Resolved]) -> list[str]:
        """What the pipelines write in dev: what they deliver, what they share, and what tasks hand each other."""
        tasks = [task for one in pipelines for task in one.within("dev").tasks.values()]
        delivered = [f"dev/delivered/{task['to']}" for task in tasks if task["operator_type"] == "deliver"]
        return delivered + [f"dev/{task['key']}" for task in tasks if task["operator_type"] == "file_to_s3"]

    def expire(key: str) -> bool:
        return any(key.startswith(rule["Filter"]["Prefix"]) for rule in rules)

    reviewed = keys(read_resolved(rendered.files[f"pipelines/{n}.json"], n) for n in rendered.manifest.pipelines)
    real = keys(resolved(each) for each in written.values())
    assert (len(reviewed), len(real)) == (2, 2)
    assert all(expire(key) for key in [*reviewed, "dev/transfer/rates_mr7/scheduled__2026-11-22/out.csv"])
    assert not any(expire(key) for key in [*real, "dev/delivered/reviews/2026-11-22.csv", "dev/reviews/all.csv"])
    assert not any(rule["Filter"]["Prefix"].startswith(("stage/delivered", "prod/delivered")) for rule in rules)


def test_a_review_starts_and_follows_its_own_pipelines_only(rendered: RenderedProject) -> None:
    source = (rendered.files["dags/rates_mr7.py"] + rendered.files["dags/score_mr7.py"]).decode().replace('"', "'")
    assert "pipeline='score_mr7'" in source
    assert "trigger_dag_id='score_mr7'" in source
    assert "outlets=[Asset('bank_mr7/rates')]" in source
    assert "asset='bank_mr7/rates'" in source
    assert "inlets=[Asset('bank')]" in source, "what others produce is read as ever"
    assert "asset='bank'" in source
    assert "Asset('rates')" not in source


def test_what_plans_compare_is_what_runs(rendered: RenderedProject) -> None:
    found = read_resolved(rendered.files["pipelines/rates_mr7.json"], "rates_mr7")
    assert found.dag["schedule"] is None
    assert found.within("dev").dag["schedule"] is None
    assert found.within("dev").tasks["keep.shared"]["key"] == "windlass-reviews/bank_mr7/reference/dev.csv"
    assert found.tasks["keep.inner.out"]["to"] == "windlass-reviews/bank_mr7/rates/{ds}.csv"


def test_the_real_pipelines_stay_as_they_were(written: dict[str, Pipeline]) -> None:
    before = {path: resolved(each).to_json() for path, each in written.items()}  # fills what nouns keep for later
    review_pipelines(written, "bank_mr7", 7)
    assert {path: resolved(each).to_json() for path, each in written.items()} == before
    again = review_pipelines(written, "bank_mr8", 8)
    assert again["pipelines/rates.yml"].tree.tasks["keep.next"].arguments == {"pipeline": "score_mr8"}


def test_an_operator_of_the_projects_own_by_the_name_of_a_standard_one_is_left_alone() -> None:
    own = pipeline("dag: {name: own}\ntasks: {keep: {out: {operator_type: deliver, where: here, to: [a, b]}}}\n")
    (changed,) = review_pipelines({"x.yml": own}, "bank_mr7", 7).values()
    assert changed.task_ids["keep.out"].arguments == {"where": "here", "to": ["a", "b"]}


def test_a_pipeline_whose_name_has_no_room_for_a_review_says_so() -> None:
    long = pipeline(SCORE.replace("name: score", f"name: {'s' * 61}"))
    with pytest.raises(DeliveryError, match=r"cannot have a review: .* has more than 63 characters; give"):
        review_pipelines({"x.yml": long}, "bank_mr7", 7)


@pytest.mark.parametrize("name", ["digits_mr7", "Digits-MR7", "a_mr1_mr10"])
def test_no_project_may_be_called_like_a_review(name: str) -> None:
    with pytest.raises(ValueError, match="names that end so are those of reviews"):
        project_name(name)


@pytest.mark.parametrize("name", ["digits_mr", "mr7", "digits_mr0", "digits_mr07", "digitsmr7", "digits_mr7x"])
def test_other_names_are_free(name: str) -> None:
    assert project_name(name) == name
    assert reviewed(name) is None


def test_a_review_is_found_again_by_its_name() -> None:
    assert reviewed(review_name("digits", 7)) == ("digits", 7)
    assert reviewed(review_name("a_mr2_b", 19)) == ("a_mr2_b", 19)
