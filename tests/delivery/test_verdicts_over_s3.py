# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""`verify`, `hold` and `release-hold` over a real S3 protocol; test_verdict_commands has the rest of their story."""

import json
from pathlib import Path

import pytest

from tests.delivery.test_commands import Run, deliver, project, s3, store, windlass  # noqa: F401 - fixtures
from tests.delivery.test_verdict_commands import airflow, status  # noqa: F401 - a fixture
from tests.fakes.airflow_server import AirflowServer

pytestmark = pytest.mark.stack


def test_without_a_verdict_a_release_does_not_rise_and_verify_gives_it_one(
    project: Path, windlass: Run, airflow: AirflowServer
) -> None:
    for command in (["train"], ["release"], ["promote", "--to", "dev", "--no-verify"]):
        assert windlass(*command)[0] == 0
    code, _, err = windlass("promote", "--to", "stage")
    assert (code, "was not verified in dev yet; run windlass verify dev" in err) == (2, True), err
    assert status(windlass, "dev")["verdicts"] == {"digits": None}
    code, out, err = windlass("verify", "dev", "--json")
    assert (code, json.loads(out)["result"]) == (0, "pass"), err
    assert status(windlass, "dev")["verdicts"]["digits"]["result"] == "pass"
    code, out, err = windlass("promote", "--to", "stage")
    assert (code, "verified in" in out) == (0, True), err


def test_a_hold_refuses_promotions_until_it_is_released(project: Path, windlass: Run, airflow: AirflowServer) -> None:
    deliver(windlass)
    code, out, err = windlass("hold", "stage", "--reason", "month-end closing", "--json")
    assert (code, json.loads(out)["hold"]["reason"]) == (0, "month-end closing"), err
    assert "nothing to do" in windlass("hold", "stage", "--reason", "again")[1]
    code, _, err = windlass("promote", "--to", "stage")
    assert (code, "digits is on hold since" in err, "month-end closing" in err) == (2, True, True)
    assert json.loads(windlass("release-hold", "stage", "--json")[1])["changed"]
    assert windlass("promote", "--to", "stage")[0] == 0
    code, _, err = windlass("hold", "stage", "--release", "v9", "--reason", "x")
    assert (code, "there is no release 'v9' of digits in stage or dev" in err) == (2, True), err
