"""A rendered project: its files, its manifest, and what the real Airflow makes of it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from windlass.catalog.read import read_catalog
from windlass.render.project import RUNTIME, RenderedProject, render_project

from .golden_project import CASES, PINS, PROJECT, golden_pipeline

STANDARD = {"s3_to_file", "deliver"}


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
    assert set(files) == {"__init__.py", ".airflowignore", "dags/read_digits.py"} | operators | runtime
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
    assert (manifest.requires.flavors, manifest.requires.images) == (["cpu-1gb"], ["python3-11"])


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
    for path, content in render(folder / "source").files.items():
        target = folder / "bundle/digits" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {"AIRFLOW_HOME": str(folder / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    script = Path(__file__).with_name("load_in_airflow.py")
    done = subprocess.run(
        [sys.executable, script, folder / "bundle"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.airflow
def test_airflow_imports_every_rendered_dag_and_nothing_else(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert set(loaded["dags"]) == {case.stem for case in CASES}


@pytest.mark.airflow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_airflow_sees_exactly_the_order_and_groups_of_the_pipeline(case: Path, loaded: dict[str, Any]) -> None:
    pipeline = golden_pipeline(case)
    seen = loaded["dags"][case.stem]
    assert seen["upstream"] == {task: sorted(above) for task, above in pipeline.upstream().items()}
    assert seen["groups"] == sorted(pipeline.tasks)


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
