"""Every golden file, example and block of the language page on each Airflow that windlass renders for."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

import windlass
from tests.fakes.releases import PREFIX, SETTINGS, deliver
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.adapters.s3 import Bucket
from windlass.delivery.release.archive import build_archive
from windlass.spec.pipeline import Pipeline

from .environments import HERE, OLDER, ROOT, NotMade, python_of
from .projects import Rendered, flow, rendered_projects, write_bundles

pytestmark = pytest.mark.airflow

VERSIONS = (*OLDER, HERE)
ACCOUNT = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
SCRIPTS = Path(windlass.__file__).parents[1]
NEWER = (
    "this pipeline has a `deadline`, which needs Airflow 3.2 or newer, and this is 3.1.",
    "this pipeline has `retry_backoff: 1.5`, which needs Airflow 3.2 or newer, and this is 3.1.",
)
RUNS = ("3.1", HERE)
"""Where a DAG is run: with the packages that are locked for 3.2 here, its own task API fails before a task begins."""
ENDS = {
    "load.full": "skipped",
    "load.only": "skipped",
    "load.skip": "skipped",
    "done.fails": "failed",
    "done.wrong": "failed",
    "done.takes_wrong": "upstream_failed",
}
CHECKED = {"digits/checked", "language/checked"}
"""Their environments differ in what outputs are checked for: that is in the code, and no part of what Airflow keeps."""
"""How the tasks of tests/render/flow.yml end that do not end well."""
PEOPLE = b"name,age\na,1\nb,2\nc,3\nd,4\ne,5\n"


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return rendered_projects(tmp_path_factory.mktemp("projects"))


@pytest.fixture(scope="module")
def bundles(projects: Rendered, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_bundles(projects, tmp_path_factory.mktemp("bundles"))


def run(version: str, script: str, home: Path, *arguments: Path | str, more: Mapping[str, str] | None = None) -> Any:
    """What a script says in that Airflow, which has an empty home and no variable of ours but PATH and `more`."""
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
        **(more or {}),
    }
    command = [python, Path(__file__).with_name(script), *arguments]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=300, check=False)
    print(done.stdout, done.stderr)  # pytest shows it where the test fails
    assert done.returncode == 0
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


def overlaid(projects: Rendered, environment: str) -> set[str]:
    """The DAGs that say something else in that environment."""
    return {
        f"{name}/{one.dag.name}"
        for name, (_, pipelines) in projects.items()
        for one in pipelines
        if environment in one.variants
    }


def needs_newer(pipeline: Pipeline) -> bool:
    """Whether the pipeline has a key that Airflow 3.1 lacks, as docs/language.md says."""
    everywhere = (pipeline, *pipeline.variants.values())
    tries = [tries for one in everywhere for tries in (one.dag, *one.task_ids.values())]
    factors = {one.retry_backoff for one in tries} - {None, 0, 2}
    return any(one.dag.deadline is not None for one in everywhere) or bool(factors)


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
    assert {f"{name}/{dag}" for name, found in seen["projects"].items() for dag in found["dags"]} == loads
    assert [name for name, found in seen["projects"].items() if not found["stable"]] == []
    for environment in ("", "dev", "stage", "prod"):
        errors = {
            f"{name}/{file}": error
            for name, found in seen["projects"].items()
            for file, error in found["errors"][environment].items()
        }
        assert set(errors) == newer, environment
        assert [error for error in errors.values() if not any(said in error for said in NEWER)] == []
    for environment in ("dev", "stage", "prod"):
        other = {f"{name}/{dag}" for name, found in seen["projects"].items() for dag in found["other"][environment]}
        assert other == (overlaid(projects, environment) & loads) - CHECKED, environment


@pytest.mark.parametrize("version", VERSIONS)
def test_windlass_check_finds_nothing_but_what_needs_a_newer_airflow(
    version: str, projects: Rendered, bundles: list[Path], tmp_path: Path
) -> None:
    found = run(version, "check_all.py", tmp_path, *bundles)
    loads, newer = expected(projects, version)
    assert set(found) == loads | newer
    assert {name for name, one in found.items() if one["errors"]} == newer
    said = [found[name]["errors"] for name in newer]
    assert [error for error in said if not any(one in error for one in NEWER)] == []
    for name in loads:
        assert found[name] == {"errors": "", "broken": {}, "ended": ["well", "well"], "acts": [], "stable": True}, name


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dag_of_the_bundle_runs_through_and_the_bundle_follows_s3(
    version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = time.monotonic()
    (tmp_path / "project").mkdir()
    with moto_server("code", "models", "data") as endpoint:
        s3 = boto3.client("s3", endpoint_url=endpoint, **ACCOUNT)
        for name, content in {"people": PEOPLE, "2025": b"x\n", "2026": b"xyz\n"}.items():
            s3.put_object(Bucket="data", Key=f"{PREFIX}/incoming/{name}.csv", Body=content)
        settings = SETTINGS.model_copy(update={"s3": SETTINGS.s3.model_copy(update={"endpoint": endpoint})})
        release = build_archive("probe", flow(tmp_path / "project"))
        deliver(Bucket(s3, "code"), {"probe": release}, settings=settings)
        kwargs = {"bucket": "code", "prefix": PREFIX, "endpoint": endpoint}
        bundle = {"name": "windlass", "classpath": "windlass.airflow.bundle.ReleaseBundle", "kwargs": kwargs}
        more = {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle])}
        dag = ["flow"] if version in RUNS else []
        seen = run(version, "run_release.py", tmp_path, *dag, more=CREDENTIALS | more)
        if dag:
            check_run(seen["states"], s3)
    with capsys.disabled():
        took = time.monotonic() - begin
        print(f"\nAirflow {version}: a bundle and a run of {len(seen['states'])} tasks in {took:.1f} s", end=" ")
    assert seen["before"] == seen["of the run"] == ["environment.json", "probe", "state.json"]
    assert seen["live"] == ["digits", "environment.json", "state.json"]
    assert (seen["staged at"], seen["is current"]) == (True, True)
    assert seen["kind"] == ("BundleVersion" if version == HERE else "str")


def check_run(states: dict[str, str], s3: Any) -> None:
    """The flow's tasks ended as they should, and what it delivers is there."""
    assert {task: ended for task, ended in states.items() if ended != "success"} == ENDS
    delivered = {
        name: s3.get_object(Bucket="data", Key=f"{PREFIX}/delivered/{name}")["Body"].read()
        for name in ("upper.csv", "delta.txt", "after.txt")
    }
    assert delivered["upper.csv"] == PEOPLE.upper()
    assert delivered["delta.txt"] == delivered["after.txt"] == b"a b\nc;d\n$(id)\n2\n4\n"


def test_a_version_that_cannot_be_installed_fails_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(NotMade, match=r"Airflow 3\.1 cannot be installed from requirements/airflow-3\.1\.txt; look at"):
        python_of("3.1", tmp_path)
    assert not (tmp_path / "airflow-3.1/.complete").exists()
