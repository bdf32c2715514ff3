"""The variables, connections and pools of one Airflow over its REST API.

What is sent holds secrets, and Airflow repeats in its refusals what was sent: of those only codes and fields are told.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests
from pydantic import SecretStr

from windlass.adapters.airflow import AirflowApi
from windlass.spec.airflow_object import Key, Kind, Live, Wanted
from windlass.spec.errors import DeliveryError, ServiceError

_PATHS: Mapping[Kind, str] = {"variable": "variables", "connection": "connections", "pool": "pools"}
_IDS: Mapping[Kind, str] = {"variable": "key", "connection": "connection_id", "pool": "name"}
_FIELDS: Mapping[Kind, Mapping[str, str]] = {
    "variable": {"value": "value", "description": "description"},
    "connection": {
        "type": "conn_type",
        "host": "host",
        "port": "port",
        "schema": "schema",
        "login": "login",
        "password": "password",
        "extra": "extra",
        "description": "description",
    },
    "pool": {"slots": "slots", "description": "description"},
}
_NUMBERS = {"port", "slots"}
_EMPTY: Mapping[str, Any] = {"extra": "{}"}
"""What Airflow writes for a field without content, beside null and empty text."""


class AirflowSettingsApi(AirflowApi):
    """The API, asked for variables, connections and pools, and told to change them."""

    def read(self) -> dict[Key, Live]:
        """All objects that the account may see, with the secrets masked by Airflow."""
        found = [
            _live(kind, answer)
            for kind, path in _PATHS.items()
            for answer in self._pages(path, path, {"order_by": _IDS[kind]})
        ]
        return {live.key: live for live in found}

    def create(self, wanted: Wanted) -> None:
        """Makes the object; ServiceError when there is one of that name."""
        try:
            self._call("POST", _PATHS[wanted.key.kind], _body(wanted))
        except ServiceError as error:  # its address does not name the object
            raise ServiceError(f"{wanted.key}: {error}") from error

    def change(self, wanted: Wanted) -> None:
        """Gives the object all the fields that are wanted, and leaves alone what a file cannot declare."""
        kind = wanted.key.kind
        body = _body(wanted)
        query = ""
        if kind == "pool":  # Airflow wants include_deferred in the body, and would then change it
            body["pool"] = body.pop("name")
            body["include_deferred"] = False
            query = "?update_mask=slots&update_mask=description"
        self._call("PATCH", _path(wanted.key) + query, body)

    def delete(self, key: Key) -> None:
        """Removes the object; one that is gone already is no error."""
        try:
            self._call("DELETE", _path(key))
        except DeliveryError:  # what `_call` makes of 404, and of nothing else
            return

    def _explain(self, answer: requests.Response) -> str:
        """The status, and for a body that does not fit the fields and the codes of what is wrong with them."""
        try:
            detail = answer.json().get("detail")
        except (requests.JSONDecodeError, AttributeError):
            detail = None
        if answer.status_code != 422 or not isinstance(detail, list):
            reason = "there is one of that name already" if answer.status_code == 409 else ""
            return f"{answer.status_code} {reason}".strip()
        wrong = [f"{'.'.join(_plain(one.get('loc')))} {''.join(_plain([one.get('type')]))}" for one in detail[:5]]
        return f"{answer.status_code} {', '.join(wrong)}"


def _plain(parts: Any) -> list[str]:
    return [part for part in parts or () if isinstance(part, str) and part.isidentifier() and len(part) < 40]


def _path(key: Key) -> str:
    return f"{_PATHS[key.kind]}/{quote(key.name, safe='')}"


def _live(kind: Kind, answer: Mapping[str, Any]) -> Live:
    fields: dict[str, SecretStr | None] = {}
    for field, name in _FIELDS[kind].items():
        value = answer.get(name)
        is_empty = value in (None, "", _EMPTY.get(field))
        fields[field] = None if is_empty else SecretStr(str(value))
    return Live(Key(kind, answer[_IDS[kind]]), fields)


def _body(wanted: Wanted) -> dict[str, Any]:
    body: dict[str, Any] = {_IDS[wanted.key.kind]: wanted.key.name}
    for field, name in _FIELDS[wanted.key.kind].items():
        content = wanted.fields[field]
        value = None if content is None else content.get_secret_value()
        body[name] = int(value) if value is not None and field in _NUMBERS else value
    return body
