"""The stock S3DagBundle in a real Airflow serves what `bundle: plain` lays out, and a verification sees it there."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.airflow.processor import PASSWORD, airflow_home, running
from tests.fakes.releases import PREFIX, SETTINGS, deliver, release_files
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass import runtime
from windlass.adapters.airflow import AirflowApi
from windlass.delivery.place import Place
from windlass.delivery.plain.bundle import plain_entry
from windlass.delivery.plain.lay_out import lay_out
from windlass.delivery.plain.verify import expectation
from windlass.delivery.release.archive import Archive, build_archive
from windlass.delivery.verification.verify import Seen, verify
from windlass.spec.environment import Airflow as Settings
from windlass.spec.environment import Environment
from windlass.spec.errors import TransientError
from windlass.spec.state import State
from windlass.spec.store import Store

pytestmark = pytest.mark.airflow

RUNTIME = Path(runtime.__file__).parent
READS_SETTINGS = 'I am in " + __import__("digits.runtime.settings", fromlist=["x"]).read_settings().name + ": '


def release(dags: dict[str, str], operator: str = READS_SETTINGS) -> Archive:
    """A release whose operator is imported from beside it, and reads the settings where the runtime looks for them."""
    files = release_files("digits", dags, operator)
    parts = {f"runtime/{name}.py": (RUNTIME / f"{name}.py").read_bytes() for name in ("__init__", "settings", "errors")}
    return build_archive("digits", files | parts)


@dataclass
class Airflow:
    """An Airflow with nothing of windlass in it but files."""

    home: Path
    store: Store
    url: str

    @property
    def api(self) -> AirflowApi:
        return AirflowApi(Settings(url=self.url, username="windlass", password=SecretStr(PASSWORD)), "dev")

    def promote(self, archive: Archive, serial: int) -> State:
        state = deliver(self.store, {"digits": archive}, serial)
        lay_out(self.place, ["digits"], sleep=time.sleep)
        return state

    @property
    def place(self) -> Place:
        return Place("dev", PREFIX, self.store, self.store, plain=True)

    def verify(self, state: State) -> Seen:
        return verify(self.api, "windlass", expectation(self.place, state, "digits"), 90)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    folder = tmp_path_factory.mktemp("airflow")
    with moto_server("code") as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        from windlass.adapters.s3 import open_bucket

        entry = plain_entry(Environment(name="dev", prefix=PREFIX, s3=SETTINGS.s3), SETTINGS.s3, None)
        entry["kwargs"] |= {"refresh_interval": 3600}  # only a request to parse makes it look
        connection = json.dumps({"conn_type": "aws", "extra": {"endpoint_url": endpoint}})
        home = airflow_home(folder, [entry], {"AIRFLOW_CONN_AWS_DEFAULT": connection})
        made = Airflow(folder, open_bucket("code", endpoint), home.url)
        made.promote(release({"read": "one", "write": "same"}), 1)  # the stock bundle refuses an empty folder
        with running(home):
            yield made


def answers(api: AirflowApi) -> bool:
    try:
        return api.processor_problem() is None
    except TransientError:
        return False


def test_the_stock_bundle_imports_what_is_laid_out_and_the_api_shows_promotion_and_rollback(airflow: Airflow) -> None:
    end = time.monotonic() + 90
    while not answers(airflow.api):
        assert time.monotonic() < end, (airflow.home / "log").read_text()[-3000:]
        time.sleep(0.3)
    first = airflow.verify(State.model_validate_json(airflow.store.get(f"{PREFIX}/state.json").content))
    assert set(first.versions) == {"read", "write"}
    assert {report.version for report in airflow.api.dags("windlass")} == {None}, "an unversioned bundle has none"

    second = airflow.promote(release({"read": "two", "new": "n"}), 2)
    seen = airflow.verify(second)
    assert (set(seen.versions), seen.gone) == ({"read", "new"}, ["write"])
    assert 'word="two"' in airflow.api.source("read")

    back = airflow.promote(release({"read": "one", "write": "same"}), 3)
    seen = airflow.verify(back)
    assert (set(seen.versions), seen.gone) == ({"read", "write"}, ["new"])
    assert airflow.api.import_problems("windlass") == []

    folder = next((airflow.home / "bundles").glob("windlass"))
    task = "from digits.operators.say import Say; print('FOUND', Say(task_id='say', word='two').execute({}))"
    done = subprocess.run(
        [sys.executable, "-c", task],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "FOUND I am in dev: two" in done.stdout, done.stderr
