"""The adapter for variables, connections and pools: what it sends, what it understands, and what it never repeats."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from tests.environment.conftest import declared, key
from tests.fakes.http_stub import Request, Stub, http_stub
from windlass.adapters.airflow_settings import AirflowSettingsApi
from windlass.spec.environment import Airflow
from windlass.spec.errors import ServiceError, TransientError

TEXT = """\
variables: {v: "${S}"}
connections: {c: {type: postgres, port: 5432, password: "${S}", extra: {k: "${S}"}}}
pools: {p: {slots: 4, description: Loads}}
"""
SECRET = "do not print me"


def api(stub: Stub) -> AirflowSettingsApi:
    return AirflowSettingsApi(Airflow(url=stub.url, username="windlass", password=SecretStr("pw")), "dev")


def sent(stub: Stub) -> list[tuple[str, str, Any]]:
    return [(one.method, one.path, one.body) for one in stub.requests if one.path != "/auth/token"]


def test_all_pages_of_all_kinds_are_read_and_empty_is_nothing() -> None:
    names = [f"v{number}" for number in range(250)]

    def answer(request: Request) -> tuple[int, Any]:
        if "variables" in request.path:
            offset = int(request.path.rpartition("offset=")[2])
            page = [{"key": name, "value": "***", "description": None} for name in names[offset : offset + 100]]
            return 200, {"variables": page, "total_entries": 250}
        if "connections" in request.path:
            one = {"connection_id": "c", "conn_type": "http", "port": 80, "extra": "{}", "password": "", "host": None}
            return 200, {"connections": [one], "total_entries": 1}
        one = {"name": "p", "slots": 0, "description": "d", "open_slots": 4, "include_deferred": False}
        return 200, {"pools": [one], "total_entries": 1} if "/pools" in request.path else {"access_token": "t"}

    with http_stub(answer) as stub:
        found = api(stub).read()
    assert len(found) == 252
    connection = {name: value and value.get_secret_value() for name, value in found[key("connection/c")].fields.items()}
    assert connection["port"] == "80"
    assert [name for name, value in connection.items() if value is None] == [
        "host",
        "schema",
        "login",
        "password",
        "extra",
        "description",
    ]
    assert found[key("pool/p")].fields["slots"] == SecretStr("0")


def test_bodies_are_what_airflow_takes() -> None:
    with http_stub(lambda request: (200, {"access_token": "t"})) as stub:
        client = api(stub)
        for wanted in declared(TEXT, {"S": SECRET}):
            client.create(wanted)
            client.change(wanted)
        client.delete(key("connection/c"))
    mark = "(kept by windlass)"
    connection = {
        "connection_id": "c",
        "conn_type": "postgres",
        "host": None,
        "port": 5432,
        "schema": None,
        "login": None,
        "password": SECRET,
        "extra": json.dumps({"k": SECRET}),
        "description": mark,
    }
    variable = {"key": "v", "value": SECRET, "description": mark}
    pool = {"slots": 4, "description": f"Loads {mark}"}
    assert sent(stub) == [
        ("POST", "/api/v2/connections", connection),
        ("PATCH", "/api/v2/connections/c", connection),
        ("POST", "/api/v2/pools", {"name": "p", **pool}),
        (
            "PATCH",
            "/api/v2/pools/p?update_mask=slots&update_mask=description",
            {"pool": "p", "include_deferred": False, **pool},
        ),
        ("POST", "/api/v2/variables", variable),
        ("PATCH", "/api/v2/variables/v", variable),
        ("DELETE", "/api/v2/connections/c", None),
    ]


@pytest.mark.parametrize(
    ("status", "detail", "words"),
    [
        (
            422,
            [{"type": "int_parsing", "loc": ["body", "port"], "msg": SECRET, "input": SECRET}],
            "422 body.port int_parsing",
        ),
        (422, [{"type": SECRET, "loc": [SECRET, 3], "input": {"password": SECRET}}], "422"),
        (422, SECRET, "422"),
        (400, SECRET, "400"),
        (409, {"statement": SECRET, "orig_error": SECRET}, "409 there is one of that name already"),
        (403, SECRET, "does not allow"),
        (404, SECRET, "404"),
        (500, SECRET, "is in trouble (500)"),
    ],
)
def test_a_refusal_names_object_and_field_and_repeats_nothing(status: int, detail: object, words: str) -> None:
    def answer(request: Request) -> tuple[int, Any]:
        return (201, {"access_token": "t"}) if request.path == "/auth/token" else (status, {"detail": detail})

    with http_stub(answer) as stub:
        client = api(stub)
        for wanted in declared(TEXT, {"S": SECRET}):
            for act in (client.create, client.change):
                with pytest.raises(Exception, match=r"Airflow of dev") as caught:
                    act(wanted)
                assert words in str(caught.value)
                assert SECRET not in str(caught.value) + repr(caught.value.__cause__)
                assert status != 409 or wanted.key.name in str(caught.value)


def test_what_is_gone_already_is_deleted_and_what_may_not_be_deleted_is_not() -> None:
    status = 404

    def answer(request: Request) -> tuple[int, Any]:
        return (201, {"access_token": "t"}) if request.path == "/auth/token" else (status, {"detail": "x"})

    with http_stub(answer) as stub:
        api(stub).delete(key("pool/p"))
        status = 403
        with pytest.raises(ServiceError, match="does not allow DELETE pools/p"):
            api(stub).delete(key("pool/p"))
        status = 503
        with pytest.raises(TransientError):
            api(stub).delete(key("pool/p"))
