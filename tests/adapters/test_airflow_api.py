"""The Airflow adapter: tokens, pages and refusals. That Airflow answers like this is tested in tests/airflow."""

import socket
from typing import Any

import pytest
from pydantic import SecretStr

from tests.fakes.http_stub import Answer, Request, Stub, http_stub
from windlass.adapters.airflow import AirflowApi
from windlass.spec.airflow import DagReport
from windlass.spec.environment import Airflow
from windlass.spec.errors import DeliveryError, ServiceError, TransientError

PASSWORD = "do not print me"


def api(stub: Stub) -> AirflowApi:
    return AirflowApi(Airflow(url=stub.url + "/", username="windlass", password=SecretStr(PASSWORD)), "stage")


def logged_in(answer: Answer) -> Answer:
    def answer_after_login(request: Request) -> tuple[int, Any]:
        return (201, {"access_token": "token"}) if request.path == "/auth/token" else answer(request)

    return answer_after_login


def dag(number: int) -> dict[str, Any]:
    return {
        "dag_id": f"d{number}",
        "bundle_version": "1-0123456789ab",
        "is_stale": False,
        "relative_fileloc": f"digits/dags/d{number}.py",
        "file_token": "t",
    }


def test_all_pages_are_read_with_one_log_in() -> None:
    def answer(request: Request) -> tuple[int, Any]:
        offset = int(request.path.rpartition("offset=")[2])
        return 200, {"dags": [dag(number) for number in range(offset, min(offset + 100, 250))], "total_entries": 250}

    with http_stub(logged_in(answer)) as stub:
        found = api(stub).dags("windlass")
        assert len(found) == 250
        assert found[0] == DagReport("d0", "1-0123456789ab", False, "digits/dags/d0.py", "t")
        assert [request.path for request in stub.requests].count("/auth/token") == 1
        assert all("bundle_name=windlass" in request.path for request in stub.requests[1:])
        assert stub.requests[1].headers["Authorization"] == "Bearer token"


def test_a_token_that_has_expired_is_renewed_once() -> None:
    answers = iter([200, 401, 200, 401, 401])

    with http_stub(logged_in(lambda request: (next(answers), {"dags": [], "total_entries": 0}))) as stub:
        client = api(stub)
        client.dags("windlass")
        client.dags("windlass")
        assert [request.path for request in stub.requests].count("/auth/token") == 2
        with pytest.raises(ServiceError, match="does not allow GET dags to this account"):
            client.dags("windlass")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (403, ServiceError, "does not allow GET dags to this account"),
        (404, DeliveryError, "has no dags: not here"),
        (422, ServiceError, "refuses GET dags: not here"),
        (500, TransientError, "is in trouble (500)"),
        (503, TransientError, "is in trouble (503)"),
        (302, ServiceError, "correct airflow.url"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_environment(status: int, kind: type[Exception], words: str) -> None:
    with http_stub(logged_in(lambda request: (status, {"detail": "not here"}))) as stub:
        with pytest.raises(kind) as caught:
            api(stub).dags("windlass")
        assert words in str(caught.value)
        assert f"Airflow of stage ({stub.url})" in str(caught.value)


def test_a_wrong_password_is_refused_without_showing_it() -> None:
    with http_stub(lambda request: (401, {"detail": f"wrong: {PASSWORD}"})) as stub:
        with pytest.raises(ServiceError, match=r"does not let in the account of airflow\.username") as caught:
            api(stub).dags("windlass")
        assert PASSWORD not in str(caught.value)
        assert PASSWORD not in repr(api(stub).__dict__)


def test_an_account_in_the_address_is_not_shown() -> None:
    with http_stub(lambda request: (503, {})) as stub:
        address = stub.url.replace("http://", "http://ann:hunter2@") + "/?token=hunter2"
        airflow = AirflowApi(Airflow(url=address, username="windlass", password=SecretStr(PASSWORD)), "stage")
        with pytest.raises(TransientError) as caught:
            airflow.dags("windlass")
    assert "hunter2" not in str(caught.value)
    assert f"Airflow of stage ({stub.url}" in str(caught.value)


def test_what_is_no_airflow_is_said_to_be_none() -> None:
    with (
        http_stub(lambda request: (200, b"<html>")) as stub,
        pytest.raises(ServiceError, match=r"is airflow\.url right"),
    ):
        api(stub).dags("windlass")


def test_an_airflow_that_nobody_listens_at_is_worth_another_try() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        stub = Stub(f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(TransientError, match="does not answer; try again when it runs"):
            api(stub).dags("windlass")


def test_a_processor_that_is_not_healthy_is_named() -> None:
    health: dict[str, Any] = {"dag_processor": {"status": "healthy", "latest_dag_processor_heartbeat": "now"}}
    with http_stub(logged_in(lambda request: (200, health))) as stub:
        assert api(stub).processor_problem() is None
        health["dag_processor"] = {"status": "unhealthy", "latest_dag_processor_heartbeat": "10:00"}
        problem = api(stub).processor_problem()
        assert problem == "its DAG processor is unhealthy (last heartbeat 10:00): look whether it runs"
