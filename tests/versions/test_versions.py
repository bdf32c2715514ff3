"""Every golden file, example and block of the language page on each Airflow that windlass renders for."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import windlass
from windlass.spec.pipeline import Pipeline

from .environments import HERE, OLDER, ROOT, NotMade, python_of
from .projects import Rendered, rendered_projects, write_bundles

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("versions")]

VERSIONS = (*OLDER, HERE)
SCRIPTS = Path(windlass.__file__).parents[1]
BACKOFF = "'retry_exponential_backoff'"
"""What Airflow 3.1 itself says of a factor: it takes yes and no."""
DEADLINE = "this pipeline has a `deadline`, which needs Airflow 3.2 or newer, and this is 3.1."


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return rendered_projects(tmp_path_factory.mktemp("projects"))


@pytest.fixture(scope="module")
def bundles(projects: Rendered, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_bundles(projects, tmp_path_factory.mktemp("bundles"))


def run(version: str, script: str, home: Path, *arguments: Path) -> Any:
    """What a script says in that Airflow, which has an empty home and no variable of ours but PATH."""
    try:
        python = python_of(version)
    except NotMade as error:
        pytest.fail(str(error), pytrace=False)
    environment = {
        "PATH": os.defpath,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([str(SCRIPTS), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
    }
    command = [python, Path(__file__).with_name(script), *arguments]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def expected(projects: Rendered, version: str) -> tuple[set[str], set[str]]:
    """The DAGs that load in that Airflow, and those that ask for a newer one."""
    newer = {
        f"{name}/{pipeline.dag.name}"
        for name, (_, pipelines) in projects.items()
        for pipeline in pipelines
        if version == "3.1" and needs_newer(pipeline)
    }
    every = {f"{name}/{one.dag.name}" for name, (_, pipelines) in projects.items() for one in pipelines}
    return every - newer, newer


def needs_newer(pipeline: Pipeline) -> bool:
    """Whether the pipeline has a key that Airflow 3.1 lacks, as docs/language.md says."""
    everywhere = (pipeline, *pipeline.variants.values())
    tries = [tries for one in everywhere for tries in (one.dag, *one.task_ids.values())]
    return pipeline.dag.deadline is not None or any(one.retry_backoff is not None for one in tries)


@pytest.mark.parametrize("version", VERSIONS)
def test_airflow_imports_and_keeps_every_dag_the_same_twice(
    version: str, projects: Rendered, bundles: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = time.monotonic()
    seen = run(version, "load_all.py", tmp_path, *bundles)
    with capsys.disabled():
        print(f"\nAirflow {seen['version']}: loaded in {time.monotonic() - begin:.1f} s", end=" ")
    assert seen["version"].startswith(version + ".")
    loads, newer = expected(projects, version)
    errors = {
        f"{name}/{file}": error for name, found in seen["projects"].items() for file, error in found["errors"].items()
    }
    assert set(errors) == newer
    assert [error for error in errors.values() if DEADLINE not in error and BACKOFF not in error] == []
    assert {f"{name}/{dag}" for name, found in seen["projects"].items() for dag in found["dags"]} == loads
    assert [name for name, found in seen["projects"].items() if not found["stable"]] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_windlass_check_finds_nothing_but_what_needs_a_newer_airflow(
    version: str, projects: Rendered, bundles: list[Path], tmp_path: Path
) -> None:
    found = run(version, "check_all.py", tmp_path, *bundles)
    loads, newer = expected(projects, version)
    assert set(found) == loads | newer
    assert {name for name, one in found.items() if one["errors"]} == newer
    said = [found[name]["errors"] for name in newer]
    assert [error for error in said if DEADLINE not in error and BACKOFF not in error] == []
    for name in loads:
        assert found[name] == {"errors": "", "broken": {}, "ended": ["well", "well"], "acts": [], "stable": True}, name


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bundle_follows_the_state_and_keeps_the_version_of_a_run(version: str, tmp_path: Path) -> None:
    seen = run(version, "follow_bundle.py", tmp_path)
    assert (seen["live"], seen["of the first run"], seen["is current"]) == ("two", "one", True)
    assert seen["kind"] == ("BundleVersion" if version == HERE else "str")


def test_a_version_that_cannot_be_installed_fails_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(NotMade, match=r"Airflow 3\.1 cannot be installed from requirements/airflow-3\.1\.txt; look at"):
        python_of("3.1", tmp_path)
    assert not (tmp_path / "airflow-3.1/.complete").exists()
