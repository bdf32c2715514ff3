"""`windlass gc` over a real S3 protocol and an Airflow that answers as the real one does."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from tests.delivery.conftest import World
from tests.fakes.http_stub import Request, Stub, http_stub
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.adapters.airflow_use import AirflowUseApi
from windlass.adapters.s3 import open_bucket
from windlass.cli.main import main
from windlass.spec.environment import Airflow

pytestmark = pytest.mark.stack

Run = Callable[..., tuple[int, str, str]]
MODEL = "a" * 16


def as_airflow(request: Request) -> tuple[int, Any]:
    if request.path == "/auth/token":
        return 201, {"access_token": "t"}
    key = "dag_runs" if "dagRuns" in request.path else "dags"
    return 200, {key: [], "total_entries": 0}


@pytest.fixture
def s3() -> Iterator[str]:
    with moto_server("windlass") as endpoint:
        yield endpoint


@pytest.fixture
def airflow() -> Iterator[Stub]:
    with http_stub(as_airflow) as stub:
        yield stub


@pytest.fixture
def windlass(
    tmp_path: Path, s3: str, airflow: Stub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    for name in [name for name in os.environ if name.startswith(("AWS_", "WINDLASS"))]:
        monkeypatch.delenv(name)
    for name, value in {**CREDENTIALS, "AWS_EC2_METADATA_DISABLED": "true", "PASSWORD": "hush"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/dev.yml").write_text(
        f"s3: {{endpoint: '{s3}', code: windlass, models: windlass, data: windlass}}\n"
        f"airflow: {{url: '{airflow.url}', username: ann, password: '${{PASSWORD}}'}}\n"
    )
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["windlass", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def fill(s3: str) -> list[str]:
    """Three releases of which the third is live, and a model that only the first needs; the keys."""
    world = World()
    world.train(MODEL, 0.9)
    world.promote(world.publish("1" * 40, {"read": "one"}, {"digits": MODEL}), "1" * 40, "dev")
    world.promote(world.publish("2" * 40, {"read": "two"}), "2" * 40, "dev")
    world.promote(world.publish("3" * 40, {"read": "three"}), "3" * 40, "dev")
    store = open_bucket("windlass", s3)
    for key, content in world.store.objects.items():
        store.put(key, content)
    return list(store.list(""))


def age(days: int) -> None:
    """Makes everything on the server `days` older."""
    for key in s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets["windlass"].keys.values():
        key.last_modified -= timedelta(days=days)


def test_what_is_young_stays_whatever_it_is(windlass: Run, s3: str) -> None:
    before = fill(s3)
    code, out, err = windlass("gc", "dev", "--keep", "2")
    assert code == 0, err
    assert "goes, releases" in out
    assert list(open_bucket("windlass", s3).list("")) == before


def test_a_dry_run_names_what_the_same_command_then_removes(windlass: Run, s3: str) -> None:
    before = fill(s3)
    age(60)
    code, out, err = windlass("gc", "dev", "--keep", "2", "--dry-run", "--json")
    assert code == 0, err
    planned = json.loads(out)
    assert planned["goes"]["release"]["number"] == planned["goes"]["model"]["number"] == 1
    assert planned["goes"]["release"]["bytes"] > 0
    assert planned["removed"] == 0
    assert list(open_bucket("windlass", s3).list("")) == before

    code, out, err = windlass("gc", "dev", "--keep", "2")
    assert code == 0, err
    assert "removed 2" in out
    gone = {key for removal in planned["removals"] for key in removal["keys"]}
    assert set(open_bucket("windlass", s3).list("")) == set(before) - gone

    code, out, err = windlass("gc", "dev", "--keep", "2", "--json")
    assert (code, json.loads(out)["removals"]) == (0, [])


def test_an_airflow_that_does_not_answer_keeps_everything(
    windlass: Run, s3: str, airflow: Stub, tmp_path: Path
) -> None:
    before = fill(s3)
    age(60)
    file = tmp_path / "environments/dev.yml"
    file.write_text(file.read_text().replace(airflow.url, "http://127.0.0.1:1"))
    code, out, err = windlass("gc", "dev", "--keep", "2")
    assert (code, "Airflow of dev (http://127.0.0.1:1) does not answer" in err) == (75, True)
    assert "hush" not in out + err
    file.write_text(file.read_text().partition("airflow:")[0])
    code, _, err = windlass("gc", "dev", "--keep", "2")
    assert (code, "environments/dev.yml: airflow is missing" in err) == (2, True)
    assert list(open_bucket("windlass", s3).list("")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gc", "moon"], "there is no environment 'moon'"),
        (["gc", "dev", "--keep", "1"], "is not in the range"),
        (["gc", "dev", "--younger-than", "0"], "is not in the range"),
        (["gc"], "Missing argument"),
    ],
)
def test_a_request_that_cannot_be_met_is_one_sentence(windlass: Run, arguments: list[str], words: str) -> None:
    code, _, err = windlass(*arguments)
    assert (code, words in err) == (2, True), err


def test_unfinished_runs_are_asked_for_on_all_pages_in_both_directions() -> None:
    def answer(request: Request) -> tuple[int, Any]:
        if request.path == "/auth/token":
            return 201, {"access_token": "t"}
        forward, queued = "order_by=id" in request.path, "state=queued" in request.path
        offset = int(request.path.rpartition("offset=")[2])
        numbers = [] if queued else list(range(150) if forward else range(150, -1, -1))  # one begins meanwhile
        runs = [
            {"dag_id": "read", "dag_run_id": f"r{number}", "state": "running", "bundle_version": "1-0123456789ab"}
            for number in numbers[offset : offset + 100]
        ]
        return 200, {"dag_runs": runs, "total_entries": len(numbers)}

    with http_stub(answer) as stub:
        api = AirflowUseApi(Airflow.model_validate({"url": stub.url, "username": "a", "password": "b"}), "dev")
        assert len(api.unfinished_runs()) == 151
