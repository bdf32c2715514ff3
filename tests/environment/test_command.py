"""`windlass env` as a person runs it: over a real S3 protocol, and HTTP to an Airflow that masks passwords."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.http_stub import Request, Stub, http_stub
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.adapters.s3 import open_bucket
from windlass.cli.main import main

pytestmark = pytest.mark.stack

BASE = """\
s3: {endpoint: "${S3}", code: windlass, models: windlass, data: windlass}
airflow: {url: "${A_URL}", username: "${A_USER}", password: "${A_PASSWORD}", bundle: ours}
connections:
  dwh: {type: postgres, host: base-host, login: "${LOGIN}", password: "${PASSWORD}"}
"""
STAGE = """\
extends: base
variables: {limit: 500, token: "${TOKEN}"}
connections: {dwh: {host: stage-host, extra: {private_key: "${KEY}"}}}
pools: {etl: {slots: 4}}
"""
SECRETS = {
    "LOGIN": "SECRET-login",
    "PASSWORD": "SECRET-pass",
    "TOKEN": "SECRET-token",
    "KEY": "base64:U0VDUkVULWtleQ==",
}

Run = Callable[..., tuple[int, str, str]]


class Airflow:
    """Keeps what it is sent; answers with the password masked."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {"variables": {}, "connections": {}, "pools": {}}

    def __call__(self, request: Request) -> tuple[int, Any]:
        path = request.path.partition("?")[0].removeprefix("/api/v2/")
        if path == "/auth/token":
            return 201, {"access_token": "t"}
        kind, _, name = path.partition("/")
        kept = self.objects[kind]
        if request.method == "GET":
            shown = [{**one, "password": one.get("password") and "***"} for one in kept.values()]
            return 200, {kind: shown, "total_entries": len(shown)}
        if request.method == "DELETE":
            return (204, b"") if kept.pop(name, None) else (404, {})
        body = {("name" if field == "pool" else field): value for field, value in request.body.items()}
        kept[body.get("key") or body.get("connection_id") or body["name"]] = body
        return 200, body


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with moto_server("windlass") as endpoint:
        yield endpoint


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture
def stub(airflow: Airflow) -> Iterator[Stub]:
    with http_stub(airflow) as stub:
        yield stub


@pytest.fixture
def folder(tmp_path: Path, s3: str, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("AWS_", "CI", "GITLAB", "WINDLASS"))]:
        monkeypatch.delenv(name)
    account = {"A_URL": stub.url, "A_USER": "windlass", "A_PASSWORD": "SECRET-airflow"}
    for name, value in {**CREDENTIALS, **SECRETS, **account, "S3": s3, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/base.yml").write_text(BASE)
    (tmp_path / "environments/stage.yml").write_text(f"{STAGE}prefix: {tmp_path.name.replace('_', '-')}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def windlass(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command as a shell would; whatever it prints must hold no secret."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["windlass", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "SECRET" not in captured.out + captured.err
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_diff_apply_and_diff_again(
    folder: Path, windlass: Run, airflow: Airflow, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert windlass("lint")[0] == 0
    code, out, err = windlass("env", "diff", "stage")
    assert code == 1, err
    assert "+ connection dwh: type postgres, host stage-host, login (secret), password (secret), extra (secret)" in out
    assert airflow.objects == {"variables": {}, "connections": {}, "pools": {}}
    code, out, err = windlass("env", "apply", "stage")
    assert (code, "stage: 4 changed" in out) == (0, True), err
    assert airflow.objects["connections"]["dwh"]["extra"] == '{"private_key": "SECRET-key"}'
    assert windlass("env", "diff", "stage")[:2] == (0, "stage: Airflow has all that is declared; nothing to do\n")
    monkeypatch.setenv("PASSWORD", "SECRET-new")
    code, out, _ = windlass("env", "diff", "stage", "--json")
    assert code == 1
    assert json.loads(out)["steps"] == [
        {
            "kind": "connection",
            "name": "dwh",
            "action": "change",
            "reason": None,
            "fields": {},
            "secret_fields": ["password"],
        }
    ]
    assert windlass("env", "apply", "stage", "--json")[0] == 0
    assert airflow.objects["connections"]["dwh"]["password"] == "SECRET-new"
    store = open_bucket("windlass", s3)
    kept = [store.get(one).content for one in store.list(f"{folder.name.replace('_', '-')}/")]
    assert len(kept) == 2
    assert not [content for content in kept if b"SECRET" in content or b"stage-host" in content]


def test_a_conflict_exits_with_2_until_it_is_adopted(folder: Path, windlass: Run, airflow: Airflow) -> None:
    airflow.objects["pools"]["etl"] = {"name": "etl", "slots": 1, "description": None}
    code, out, _ = windlass("env", "diff", "stage")
    assert (code, "! pool etl is in Airflow and not windlass's" in out) == (2, True)
    code, _, err = windlass("env", "apply", "stage")
    assert (code, "take it over with --adopt pool/etl" in err) == (2, True)
    assert airflow.objects["pools"]["etl"]["slots"] == 1
    code, _, err = windlass("env", "apply", "stage", "--adopt", "pool/elt")
    assert (code, "nothing of that name is declared; did you mean 'pool/etl'?" in err) == (2, True)
    assert windlass("env", "apply", "stage", "--adopt", "etl")[0] == 0
    assert airflow.objects["pools"]["etl"]["slots"] == 4
    assert windlass("env", "diff", "stage")[0] == 0


def test_all_variables_that_are_not_set_are_listed_at_once(
    folder: Path, windlass: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("A_USER", "TOKEN", "KEY", "S3"):
        monkeypatch.delenv(name)
    code, _, err = windlass("env", "apply", "stage")
    assert (code, "stage.yml needs variables that are not set: A_USER, KEY, S3, TOKEN;" in err) == (2, True)


def test_without_secrets_a_merge_request_needs_only_the_account(
    folder: Path, windlass: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    windlass("env", "apply", "stage")
    for name in SECRETS:
        monkeypatch.delenv(name)
    code, out, err = windlass("env", "diff", "stage", "--without-secrets")
    assert (code, "nothing to do" in out, "secrets were not compared" in err) == (0, True, True)
    monkeypatch.setenv("WINDLASS_WITHOUT_SECRETS", "true")  # what ci/environments.yml sets
    assert windlass("env", "diff", "stage")[0] == 0
    monkeypatch.setenv("WINDLASS_WITHOUT_SECRETS", "false")
    assert windlass("env", "diff", "stage")[0] == 2


def test_a_bad_secret_is_refused_by_the_name_of_its_variable(
    folder: Path, windlass: Run, airflow: Airflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "base64:SECRET!")
    code, _, err = windlass("env", "apply", "stage")
    assert (code, "what follows 'base64:' with KEY is not base64" in err) == (2, True)
    assert airflow.objects["pools"] == {}


def test_the_bundles_to_paste_are_what_airflow_reads(folder: Path, windlass: Run) -> None:
    code, out, err = windlass("env", "bundles", "stage", "--projects", "letters, digits", "--aws-conn-id", "s3")
    assert code == 0, err
    config = ConfigParser()
    config.read_string(out.partition("\n\n")[0])
    from_file = json.loads(config["dag_processor"]["dag_bundle_config_list"])
    exports = "\n".join(line for line in out.splitlines() if line.startswith("export "))
    done = subprocess.run(
        ["sh", "-ec", f"{exports}\nenv"], capture_output=True, text=True, check=True, env={"PATH": "/bin"}
    )
    exported = dict(line.split("=", 1) for line in done.stdout.splitlines() if line.startswith("AIRFLOW__"))
    assert json.loads(exported["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]) == from_file
    for section in config.sections():
        for name, value in config[section].items():
            assert exported[f"AIRFLOW__{section}__{name}".upper()] == value.replace("%%", "%")
    assert config["core"]["min_serialized_dag_update_interval"] == "0"
    [entry] = from_file
    assert (entry["name"], entry["classpath"]) == ("ours", "windlass.airflow.bundle.ReleaseBundle")
    kwargs = entry["kwargs"]
    assert (kwargs["bucket"], kwargs["projects"], kwargs["aws_conn_id"]) == ("windlass", ["digits", "letters"], "s3")
    code, out, _ = windlass("env", "bundles", "stage", "--json")
    assert set(json.loads(out)[0]["kwargs"]) == {"bucket", "prefix", "endpoint", "refresh_interval"}
    code, _, err = windlass("env", "bundles", "stage", "--projects", "os")
    assert (code, "a Python package of that name exists" in err) == (2, True)
    assert windlass("env", "bundles", "stage", "--projects", "")[0] == 2


@pytest.mark.parametrize("command", ["diff", "apply", "bundles"])
def test_help_has_examples(windlass: Run, command: str) -> None:
    code, out, _ = windlass("env", command, "--help")
    assert (code, f"windlass env {command}" in out, "--json" in out) == (0, True, True)


def test_an_environment_without_airflow_is_told_so(folder: Path, windlass: Run) -> None:
    (folder / "environments/bare.yml").write_text("s3: {code: c, models: m, data: d}\nprefix: bare\n")
    code, _, err = windlass("env", "diff", "bare")
    assert (code, "environments/bare.yml names no airflow" in err) == (2, True)
