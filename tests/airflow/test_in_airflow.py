"""The bundle inside a real DAG processor: what Airflow records after promotions, and what a task finds."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.airflow.processor import PASSWORD, airflow_home, running
from tests.fakes.releases import PREFIX, SETTINGS, deliver, make_release
from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.fakes.signing import CI, TRUSTED
from windlass.adapters.airflow import AirflowApi
from windlass.delivery.place import Place
from windlass.delivery.release.signature import sign
from windlass.delivery.verification.verify import Expectation, Seen, verify
from windlass.spec.environment import Airflow as Settings
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.release import Provenance, provenance_key
from windlass.spec.state import State
from windlass.spec.store import Store

pytestmark = pytest.mark.airflow

ONE = make_release("digits", {"read": "one", "write": "same"})
TWO = make_release("digits", {"read": "two", "write": "same"})
BROKEN = make_release("digits", {"read": "one", "write": "same"}, operator='"\nraise RuntimeError("broken")\n#')
SIGNED = SETTINGS.model_copy(update={"name": "signed", "prefix": "signed"})
TASK = """
import sys
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag
bundle = DagBundlesManager().get_bundle("windlass", version=sys.argv[1])
bundle.initialize()
file = str(bundle.path / "digits/dags/read.py")
bag = BundleDagBag(file, safe_mode=False, load_op_links=False, bundle_path=bundle.path, bundle_name="windlass")
dag = bag.dags["read"]
print("FOUND", dag.task_dict["say"].execute({}), dag.relative_fileloc)
"""


@dataclass
class Airflow:
    """One Airflow home with a DAG processor that follows the store."""

    home: Path
    store: Store
    environment: dict[str, str]
    url: str

    def api(self, password: str = PASSWORD) -> AirflowApi:
        return AirflowApi(Settings(url=self.url, username="windlass", password=SecretStr(password)), "dev")

    def verify(self, state: State, timeout: float = 60) -> Seen:
        place = Place("dev", PREFIX, self.store, self.store)
        return verify(self.api(), "windlass", Expectation(place, state, "digits"), timeout)

    def rows(self, query: str) -> dict[str, tuple[object, ...]]:
        with sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True) as database:
            return {row[0]: row[1:] for row in database.execute(query)}

    def versions(self, bundle: str = "windlass") -> dict[str, str]:
        return {
            dag: str(row[0])
            for dag, row in self.rows(
                f"select dag_id, bundle_version from dag where not is_stale and bundle_name = '{bundle}'"
            ).items()
        }

    def wait_until(self, what: str, holds: object) -> None:
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, f"{what}: {self.versions()}\n{(self.home / 'log').read_text()[-3000:]}"
            time.sleep(0.3)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    folder = tmp_path_factory.mktemp("airflow")
    with moto_server("code") as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        from windlass.adapters.s3 import open_bucket

        bundle = {"bucket": "code", "prefix": PREFIX, "endpoint": endpoint, "refresh_interval": 1}
        signed = bundle | {"prefix": SIGNED.prefix, "signers": TRUSTED}
        config = [
            {"name": name, "classpath": "windlass.airflow.bundle.ReleaseBundle", "kwargs": kwargs}
            for name, kwargs in (("windlass", bundle), ("signed", signed))
        ]
        home = airflow_home(folder, config, {"AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600"})
        with running(home):
            yield Airflow(folder, open_bucket("code", endpoint), dict(home.environment), home.url)


def test_airflow_follows_promotions_and_parses_only_what_would_run_differently(airflow: Airflow) -> None:
    from windlass.airflow.disk import GRACE

    first = deliver(airflow.store, {"digits": ONE})
    airflow.wait_until("first promotion", lambda: airflow.versions() == {"read": first.name, "write": first.name})
    files = airflow.rows("select dag_id, relative_fileloc from dag")
    assert files == {"read": ("digits/dags/read.py",), "write": ("digits/dags/write.py",)}

    time.sleep(GRACE + 1)  # for so long Airflow looks again at what is new
    second = deliver(airflow.store, {"digits": TWO}, serial=2)
    airflow.wait_until("second promotion", lambda: airflow.versions()["read"] == second.name)
    assert airflow.versions() == {"read": second.name, "write": first.name}
    assert airflow.rows("select name, version from dag_bundle")["windlass"] == (second.name,)

    third = deliver(airflow.store, {"digits": ONE}, serial=3)
    airflow.wait_until("rollback", lambda: airflow.versions()["read"] == third.name)

    for name, word in ((first.name, "one"), (second.name, "two")):
        done = subprocess.run(
            [sys.executable, "-c", TASK, name], env=airflow.environment, capture_output=True, text=True, check=False
        )
        assert f"FOUND I say {word} digits/dags/read.py" in done.stdout, done.stderr

    airflow.wait_until("the API", lambda: answers(airflow.api()))
    seen = airflow.verify(third)
    assert seen.versions == {"read": third.name, "write": first.name}

    fourth = deliver(airflow.store, {"digits": BROKEN}, serial=4)
    query = "select filename, bundle_name, stacktrace from import_error"
    airflow.wait_until("import errors", lambda: len(airflow.rows(query)) == 2)
    errors = airflow.rows(query)
    assert errors["digits/dags/read.py"][0] == "windlass"
    assert "broken" in str(errors["digits/dags/read.py"][1])

    with pytest.raises(DeliveryError, match=r"cannot import files of digits .* RuntimeError: broken"):
        airflow.verify(fourth)

    fifth = deliver(airflow.store, {"digits": make_release("digits", {"read": "one"})}, serial=5)
    airflow.wait_until("removal", lambda: airflow.versions() == {"read": fifth.name})
    assert airflow.rows(query) == {}
    seen = airflow.verify(fifth)
    assert (seen.versions, seen.gone) == ({"read": fifth.name}, ["write"])


def test_a_processor_serves_what_was_signed_and_stays_there_when_something_else_comes(airflow: Airflow) -> None:
    good = make_release("letters", {"sort": "abc"})
    record = Provenance(
        project="letters", release=good.digest, commit="c" * 40, built_at="2026-11-22T09:30:00Z", tool_version="0"
    )
    key = provenance_key(SIGNED.prefix, "letters", good.digest, "c" * 40)
    airflow.store.put(key, sign(record, CI).to_json())
    first = deliver(airflow.store, {"letters": good}, settings=SIGNED)
    airflow.wait_until("the signed release", lambda: airflow.versions("signed") == {"sort": first.name})
    bad = make_release("letters", {"sort": "xyz"})
    second = deliver(airflow.store, {"letters": bad}, serial=2, settings=SIGNED)
    log = airflow.home / "log"
    airflow.wait_until("the refusal", lambda: f"bundle signed stays at version {first.name}" in log.read_text())
    assert airflow.versions("signed") == {"sort": first.name}
    key = provenance_key(SIGNED.prefix, "letters", bad.digest, "c" * 40)
    airflow.store.put(key, sign(record.model_copy(update={"release": bad.digest}), CI).to_json())
    airflow.wait_until("the signature", lambda: airflow.versions("signed") == {"sort": second.name})


def test_airflow_refreshes_at_once_when_it_is_asked_to_parse(airflow: Airflow) -> None:
    """The nudge of a verification goes round `refresh_interval`: the API's contract, as far as we lean on it."""
    airflow.wait_until("the API", lambda: answers(airflow.api()))
    api = airflow.api()
    state = deliver(airflow.store, {"digits": ONE}, serial=8)
    airflow.verify(state)
    api.ask_to_parse(api.dags("windlass")[0].token)
    assert api.processor_problem() is None
    assert api.serialized_at("windlass", state.name) == {"read", "write"}


def test_a_wrong_password_is_a_refusal_and_not_a_bug(airflow: Airflow) -> None:
    airflow.wait_until("the API", lambda: answers(airflow.api()))
    with pytest.raises(ServiceError, match="does not let in"):
        airflow.api("wrong").dags("windlass")


def answers(api: AirflowApi) -> bool:
    try:
        return api.processor_problem() is None
    except TransientError:
        return False
