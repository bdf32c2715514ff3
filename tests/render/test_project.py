"""A rendered project: its files, its manifest, and what the real Airflow makes of it."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from windlass.catalog.read import read_catalog
from windlass.delivery.release.fingerprint import fingerprints
from windlass.render.dag import render_dag
from windlass.render.names import variables
from windlass.render.project import RUNTIME, RenderedProject, render_project
from windlass.render.surroundings import Surroundings
from windlass.spec.document import parse_document
from windlass.spec.pipeline import Pipeline, read_pipeline
from windlass.spec.release import Requires
from windlass.spec.resolved import read_resolved

from .golden_project import CASES, PINS, PROJECT, STANDARD, golden_pipeline
from .loaded import load_in_airflow


def render(folder: Path, *names: str) -> RenderedProject:
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    (folder / "pipelines").mkdir()
    cases = {f"pipelines/{case.name}": case for case in CASES if not names or case.stem in names}
    for path, case in cases.items():
        shutil.copy(case, folder / path)
    pipelines = {path: golden_pipeline(case) for path, case in cases.items()}
    return render_project(folder, "digits", pipelines, read_catalog(folder, STANDARD), PINS)


def test_a_project_carries_its_dags_its_operators_and_the_whole_runtime(tmp_path: Path) -> None:
    files = render(tmp_path, "read_digits").files
    runtime = {f"runtime/{path.name}" for path in RUNTIME.glob("*.py")}
    operators = {f"operators/{name}.py" for name in ("__init__", "job", "s3_to_file", "deliver")}
    own = {"__init__.py", ".airflowignore", "dags/read_digits.py", "pipelines/read_digits.json"}
    assert set(files) == own | operators | runtime
    assert list(files) == sorted(files)


def test_only_the_operators_that_are_used_are_carried(tmp_path: Path) -> None:
    files = render(tmp_path, "orders").files
    assert "operators/deliver.py" in files and "operators/job.py" not in files


def test_own_operators_are_carried_together_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "operators").mkdir()
    (tmp_path / "operators/_sql.py").write_text("x = 1\n")
    files = render(tmp_path, "own_operator").files
    assert files["operators/fetch_rows.py"] == (PROJECT / "operators/fetch_rows.py").read_bytes()
    assert files["operators/_sql.py"] == b"x = 1\n"


def test_the_manifest_names_sources_models_and_what_the_environment_must_offer(tmp_path: Path) -> None:
    manifest = render(tmp_path).manifest
    source = hashlib.sha256((tmp_path / "pipelines/orders.yml").read_bytes()).hexdigest()
    assert (manifest.project, manifest.models) == ("digits", PINS)
    assert manifest.pipelines["orders"].model_dump() == {"path": "pipelines/orders.yml", "source": source}
    assert (manifest.requires.flavors, manifest.requires.images) == (["cpu-16gb", "cpu-1gb"], ["python3-11"])
    assert manifest.requires.pools == ["dwh", "large"]
    written = render(tmp_path / "plain", "read_digits").manifest.model_dump(mode="json")["requires"]
    assert set(written) == {"flavors", "images", "connections"}, "keys that an earlier windlass cannot read"
    assert Requires(pools=["etl"]).model_dump(mode="json")["pools"] == ["etl"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_project_carries_each_pipeline_as_it_was_rendered(case: Path, tmp_path: Path) -> None:
    files, pipeline = render(tmp_path, case.stem).files, golden_pipeline(case)
    resolved = read_resolved(files[f"pipelines/{case.stem}.json"], case.stem)
    assert set(resolved.tasks) == set(pipeline.task_ids)
    assert resolved.dag["timezone"] == pipeline.dag.timezone
    assert b"pipelines/" in files[".airflowignore"]


def test_a_pipeline_that_is_too_long_to_be_compared_is_delivered_all_the_same(tmp_path: Path) -> None:
    text = "dag: {name: long}\ntasks:\n  a:\n    b: {operator_type: s3_to_file, outputs: {x: a.csv}, key: &k "
    text += "ä" * 450_000 + ", again: *k}\n"
    shutil.copytree(PROJECT, tmp_path, dirs_exist_ok=True)
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/long.yml").write_text(text)
    pipeline = read_pipeline(parse_document("pipelines/long.yml", text.encode()))
    assert pipeline is not None
    catalog = read_catalog(tmp_path, STANDARD)
    files = render_project(tmp_path, "digits", {"pipelines/long.yml": pipeline}, catalog, PINS).files
    assert "dags/long.py" in files and "pipelines/long.json" not in files


def test_a_model_without_a_pin_stays_without_a_version(tmp_path: Path) -> None:
    pipelines = {"pipelines/read_digits.yml": golden_pipeline(next(c for c in CASES if c.stem == "read_digits"))}
    shutil.copytree(CASES[0].parent, tmp_path / "pipelines")
    rendered = render_project(tmp_path, "digits", pipelines, read_catalog(tmp_path, STANDARD), {})
    assert b'"model": "model:digits"}' in rendered.files["dags/read_digits.py"]
    assert rendered.manifest.models == {}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow sees of the golden project, in a process and an AIRFLOW_HOME of its own."""
    folder = tmp_path_factory.mktemp("airflow")
    return load_in_airflow(render(folder / "source").files, folder)


@pytest.mark.airflow
def test_airflow_imports_every_rendered_dag_and_nothing_else(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert set(loaded["dags"]) == {case.stem for case in CASES}


@pytest.mark.airflow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_airflow_sees_exactly_the_order_and_groups_of_the_pipeline(case: Path, loaded: dict[str, Any]) -> None:
    pipeline = golden_pipeline(case)
    seen = loaded["dags"][case.stem]
    assert of_the_language(seen["upstream"]) == pipeline.upstream()
    assert seen["groups"] == sorted(pipeline.tree.groups)


def of_the_language(upstream: dict[str, list[str]]) -> dict[str, set[str]]:
    """The orders among the pipeline's own tasks; those that windlass adds count as the one that they are added for."""
    found: dict[str, set[str]] = {}
    for task, above in upstream.items():
        own = task.partition("__")[0]
        found.setdefault(own, set()).update({each.partition("__")[0] for each in above} - {own})
    return found


@pytest.mark.airflow
def test_airflow_serialises_a_rendered_dag_the_same_twice(loaded: dict[str, Any]) -> None:
    assert loaded["stable"]


@pytest.mark.airflow
def test_a_schedule_fires_at_the_same_local_hour_on_both_sides_of_summer_time(loaded: dict[str, Any]) -> None:
    digits = loaded["dags"]["read_digits"]
    assert digits["timezone"] == "Europe/Berlin"
    assert digits["summer"] == [
        "2026-03-28T05:00:00+00:00",  # 06:00 in winter
        "2026-03-29T04:00:00+00:00",  # 06:00 in summer
        "2026-03-30T04:00:00+00:00",
    ]


@pytest.mark.airflow
def test_airflow_takes_the_values_of_the_environment_that_it_is_in(tmp_path: Path) -> None:
    files = {**render(tmp_path / "source", "environments", "orders").files, "dags/hundred.py": hundred_tasks().encode()}
    seen = load_in_airflow(files, tmp_path, "prod")
    assert seen["errors"] == {} and seen["stable"]
    assert seen["dags"]["environments"]["summer"][0] == "2026-03-28T04:00:00+00:00"
    assert len(seen["dags"]["hundred"]["upstream"]) == 100


def hundred_tasks() -> str:
    """Ten groups of ten tasks, of which each takes a file of the group before."""
    groups: dict[str, Any] = {}
    for i in range(10):
        tasks = {f"t{j}": {"operator_type": "s3_to_file", "key": f"{i}", "outputs": {"o": "o.csv"}} for j in range(10)}
        if i % 2:
            inputs = {f"t{j}": {"inputs": {"x": f"g{i - 1}.t{j}.o"}} for j in range(10)}
            tasks = {name: {"operator_type": "deliver", "to": name, **inputs[name]} for name in tasks}
        groups[f"g{i}"] = tasks
    pipeline = Pipeline.model_validate({"dag": {"name": "hundred"}, "tasks": groups})
    return render_dag(pipeline, "pipelines/hundred.yml", Surroundings("digits", read_catalog(PROJECT, STANDARD)))


def test_a_hundred_tasks_are_rendered_in_the_layout_of_ruff(tmp_path: Path) -> None:
    path = tmp_path / "hundred.py"
    path.write_text(hundred_tasks())
    command = [sys.executable, "-m", "ruff", "format", "--check", "--diff", "--isolated", "--line-length", "110", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_changed_file_changes_the_fingerprint_of_exactly_the_dags_that_name_it(tmp_path: Path) -> None:
    before = fingerprints(render(tmp_path / "a").files)
    folder = tmp_path / "b"
    assert fingerprints(render(folder).files) == before
    (folder / "sql/rows.sql").write_text("SELECT 2\n")
    pipelines = {f"pipelines/{case.name}": golden_pipeline(case) for case in CASES}
    changed = render_project(folder, "digits", pipelines, read_catalog(folder, STANDARD), PINS).files
    after = fingerprints(changed)
    assert {name for name in after if after[name] != before[name]} == {"limits", "environments"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_noun_of_a_pipeline_becomes_plain_data(case: Path) -> None:
    pipeline = golden_pipeline(case)
    plain = json.loads(json.dumps(pipeline.dag.model_dump(mode="json")))
    assert plain["name"] == case.stem
    for task in pipeline.task_ids.values():
        assert json.loads(json.dumps(task.model_dump(mode="json", exclude_defaults=True)))


def test_no_variable_hides_a_function_that_the_module_imports() -> None:
    task = {"operator_type": "s3_to_file", "key": "a", "outputs": {"o": "o.csv"}}
    tasks = {"by": {"environment": task}, "cross": {"downstream": task}, "a": {"b": {"c": task}}, "a_b": {"c": task}}
    pipeline = Pipeline.model_validate({"dag": {"name": "x"}, "tasks": tasks})
    assert variables(pipeline, pipeline.task_ids) == {
        "by.environment": "by_environment_2",
        "cross.downstream": "cross_downstream_2",
        "a.b.c": "a_b_c",
        "a_b.c": "a_b_c_2",
        "by": "by_group",
        "cross": "cross_group",
        "a": "a_group",
        "a.b": "a_b_group",
        "a_b": "a_b_group_2",
    }


def test_an_item_that_only_one_environment_uses_makes_the_same_tasks_in_all() -> None:
    text = (
        "dag: {name: x}\ntasks:\n  a:\n    b: {operator_type: fetch_rows, query: '{n}', note: none,"
        " outputs: {o: o.csv}, for_each: {as: n, in: [a, b]}}\n"
        "environments: {prod: {tasks: {a: {b: {note: 'n{n}'}}}}}\n"
    )
    pipeline = read_pipeline(parse_document("x.yml", text.encode()))
    assert pipeline is not None
    source = render_dag(pipeline, "x.yml", Surroundings("digits", read_catalog(PROJECT, STANDARD)))
    assert 'arguments={"query": "{n}", "note": by_environment("none", prod="n{n}")}' in source
    assert source.count("FetchRows.partial(") == 1 and "expand_kwargs(a_b__each.output)" in source


SHORT = """
dag: {name: x}
tasks:
  a:
    standard: {operator_type: sql, connection: dwh, sql: FILE(sql/rows.sql)}
    by_path:
      operator_type: airflow.providers.common.sql.operators.sql.SQLExecuteQueryOperator
      sql: [FILE(sql/rows.sql), select 1]
    script: {operator_type: airflow.providers.standard.operators.bash.BashOperator, bash_command: FILE(sql/run.sh)}
    own: {operator_type: ask, query: FILE(sql/rows.hql)}
environments:
  prod: {tasks: {a: {standard: {sql: FILE(sql/prod.sql)}}}}
"""
ASK = """
from airflow.sdk import BaseOperator

class Ask(BaseOperator):
    template_fields = ("query",)
    template_ext = (".hql",)

    def __init__(self, *, query: str, **kwargs: object) -> None:
        super().__init__(**kwargs)
"""


def test_the_path_of_a_file_renders_to_the_same_as_its_long_form(tmp_path: Path) -> None:
    files = {f"sql/{name}": f"text of {name}" for name in ("rows.sql", "prod.sql", "run.sh", "rows.hql")}
    for path, text in {**files, "operators/ask.py": ASK}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    catalog, sources = read_catalog(tmp_path, ["sql"]), []
    for form in (r"\1", r"{file: \1}"):
        document = parse_document("pipelines/x.yml", re.sub(r"FILE\((.*?)\)", form, SHORT).encode())
        pipeline = read_pipeline(document)
        assert pipeline is not None, document.problems
        (tmp_path / "pipelines").mkdir(exist_ok=True)
        (tmp_path / "pipelines/x.yml").write_text("")
        files_now = render_project(tmp_path, "digits", {"pipelines/x.yml": pipeline}, catalog, {}).files
        sources.append(files_now["dags/x.py"].decode())
    assert sources[0] == sources[1]
    assert all(text in sources[0] for text in files.values())
    (tmp_path / "sql/prod.sql").write_text("another text")
    changed = render_project(tmp_path, "digits", {"pipelines/x.yml": pipeline}, catalog, {}).files
    assert fingerprints(changed) != fingerprints(files_now), "a plan must show that the file has changed"
