# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""The commands in an environment with `bundle: plain`, over a real S3 protocol."""

import json
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.delivery.test_commands import Run, commit, deliver, project, s3, windlass  # noqa: F401 - fixtures
from windlass.adapters.s3 import open_bucket
from windlass.spec.store import Store

pytestmark = pytest.mark.stack


@pytest.fixture
def stage(project: Path, s3: str) -> tuple[Store, str]:
    """The bucket, and where stage has its files."""
    path = project / "environments/stage.yml"
    path.write_text(path.read_text() + "bundle: plain\n")
    commit("plain")
    return open_bucket("windlass", s3), f"{project.parent.name}-stage"


def test_promote_rollback_and_status_of_a_plain_environment(
    project: Path, windlass: Run, stage: tuple[Store, str]
) -> None:
    store, prefix = stage
    dag = f"{prefix}/dags/digits/dags/read_digits.py"
    deliver(windlass)
    code, out, err = windlass("promote", "--to", "stage")
    assert (code, "written, 0 deleted" in out, "runs that are under way see the new ones" in out) == (0, True, True), (
        err
    )
    first = store.get(dag).content
    assert store.exists(f"{prefix}/dags/environment.json")
    assert store.exists(f"{prefix}/dags/digits/operators/job.py")

    (project / "train.csv").write_text("0.95\n")
    commit("two")
    deliver(windlass)
    code, out, err = windlass("promote", "--to", "stage", "--json")
    assert code == 0, err
    laid_out = json.loads(out)["laid_out"]
    assert (laid_out["written"] > 0, laid_out["deleted"], laid_out["kept"] > 10) == (True, 0, True)
    assert store.get(dag).content != first, "it names another version of the model"

    store.delete(dag)
    code, out, err = windlass("promote", "--to", "stage")
    assert (code, "nothing to do" in out, "1 written" in out) == (0, True, True), err
    code, out, err = windlass("rollback", "stage", "--no-verify")
    assert (code, "files below dags/" in out) == (0, True), err
    assert store.get(dag).content == first
    assert json.loads(windlass("status", "stage", "--json")[1])[0]["not_laid_out"] == []

    key = f"{prefix}/plain/digits.json"
    own = json.loads(store.get(key).content)
    store.put(key, json.dumps(own | {"under_way": True}).encode())
    assert "files below dags/ are not as the state says: digits" in windlass("status", "stage")[1]
    assert windlass("rollback", "stage", "--all", "--no-verify")[0] == 0
    assert json.loads(windlass("status", "stage", "--json")[1])[0]["not_laid_out"] == []
    assert not list(store.list(f"{prefix.removesuffix('stage')}dev/dags/")), "dev has the bundle"


def test_a_foreign_file_is_named_and_nothing_changes(project: Path, windlass: Run, stage: tuple[Store, str]) -> None:
    store, prefix = stage
    key = f"{prefix}/dags/digits/dags/read_digits.py"
    deliver(windlass)
    store.put(key, b"mine")
    code, _, err = windlass("promote", "--to", "stage")
    assert (code, f"{key} lies where the release has a file of its own" in err) == (2, True), err
    assert not store.exists(f"{prefix}/state.json")
    assert store.get(key).content == b"mine"


def test_the_configuration_to_paste_is_the_stock_bundles(windlass: Run, stage: tuple[Store, str]) -> None:
    _, prefix = stage
    code, out, err = windlass("env", "bundles", "stage", "--aws-conn-id", "s3")
    assert code == 0, err
    config = ConfigParser()
    config.read_string(out.partition("\n\n")[0])
    [entry] = json.loads(config["dag_processor"]["dag_bundle_config_list"])
    assert entry["classpath"] == "airflow.providers.amazon.aws.bundles.s3.S3DagBundle"
    wanted = {"bucket_name": "windlass", "prefix": f"{prefix}/dags", "aws_conn_id": "s3", "refresh_interval": 60}
    assert entry["kwargs"] == wanted
    assert f"--dag-s3-path {prefix}/dags" in out
    assert "has no versions" in out
    assert [entry] == json.loads(windlass("env", "bundles", "stage", "--aws-conn-id", "s3", "--json")[1])
    code, _, err = windlass("env", "bundles", "stage", "--projects", "digits")
    assert (code, "has bundle: plain, which serves all" in err) == (2, True)


def test_an_unknown_kind_of_bundle_is_a_finding(project: Path, windlass: Run) -> None:
    path = project / "environments/stage.yml"
    path.write_text(path.read_text() + "bundle: files\n")
    code, out, _ = windlass("lint")
    assert (code, "bundle" in out, "plain" in out) == (1, True, True)
