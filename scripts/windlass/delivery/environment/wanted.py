"""The variables, connections and pools that an environment declares, with each `${NAME}` filled in.

No message of this module holds a value: it names the variable that holds a bad one.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from windlass.spec.airflow_object import MARK, MASK, MASKED, Key, Wanted
from windlass.spec.airflow_settings import Connection, Pool
from windlass.spec.environment import Environment
from windlass.spec.errors import WindlassError
from windlass.spec.placeholder import PLACEHOLDER, names_in, require

_BASE64 = "base64:"


def wanted_objects(environment: Environment, variables: Mapping[str, str], *, secrets: bool = True) -> list[Wanted]:
    """All objects that `environment` declares, sorted.

    With `secrets=False` no variable is needed: what holds a `${NAME}` stays unresolved. WindlassError lists all names
    that are not set, or names the variable whose content cannot be used.
    """
    where = f"environments/{environment.name}.yml"
    if secrets:
        require(names_in([environment.variables, environment.connections, environment.pools]), variables, where)
    filler = _Filler(variables if secrets else None, where)
    found = [filler.variable(name, value) for name, value in environment.variables.items()]
    found += [filler.connection(name, connection) for name, connection in environment.connections.items()]
    found += [filler.pool(name, pool) for name, pool in environment.pools.items()]
    return sorted(found, key=lambda wanted: wanted.key)


class _Filler:
    """Makes objects of declarations, with the content of `variables`; with None, nothing is filled in."""

    def __init__(self, variables: Mapping[str, str] | None, where: str) -> None:
        self._variables = variables
        self._where = where

    def variable(self, name: str, value: SecretStr) -> Wanted:
        return self._object(Key("variable", name), {"value": value.get_secret_value(), "description": MARK})

    def connection(self, name: str, connection: Connection) -> Wanted:
        fields = {
            "type": connection.type,
            "host": connection.host,
            "port": _text(connection.port),
            "schema": connection.schema_,
            "login": connection.login,
            "password": connection.password.get_secret_value() if connection.password else None,
            "extra": connection.extra.get_secret_value() if connection.extra else None,
            "description": MARK,
        }
        return self._object(Key("connection", name), fields)

    def pool(self, name: str, pool: Pool) -> Wanted:
        description = f"{pool.description} {MARK}" if pool.description else MARK
        return self._object(Key("pool", name), {"slots": _text(pool.slots), "description": description})

    def _object(self, key: Key, templates: Mapping[str, str | None]) -> Wanted:
        secret = {field for field, template in templates.items() if template and PLACEHOLDER.search(template)}
        unresolved = set(secret) if self._variables is None else set()
        fields = {
            field: self._field(key, field, template) for field, template in templates.items() if field not in unresolved
        }
        if key.kind == "connection":
            secret |= {field for field in MASKED["connection"] if templates[field]}
        return Wanted(key, fields, frozenset(secret), frozenset(unresolved))

    def _field(self, key: Key, field: str, template: str | None) -> SecretStr | None:
        if not template:
            return SecretStr("") if field == "value" else None
        text = self._filled(template, is_json=field in ("value", "extra"))
        source = f"{self._where}: {field} of {key}{_named(template)}"
        if field in ("port", "slots") and not _is_number(text):
            raise WindlassError(f"{source} is not a number")
        if field == "extra" and not isinstance(_parsed(text), dict):
            raise WindlassError(f"{source} is not a JSON object")
        if key.kind == "connection" and field in MASKED["connection"] and MASK in _leaves(text, field):
            raise WindlassError(f"{source} is {MASK!r}: Airflow writes that for a secret and would keep the old one")
        return None if field == "extra" and not _parsed(text) else SecretStr(text)

    def _filled(self, template: str, *, is_json: bool) -> str:
        if not PLACEHOLDER.search(template):
            return template
        parsed = _parsed(template) if is_json else None
        if isinstance(parsed, (dict, list)):  # leaf by leaf: a quote in a secret must not end the JSON's text
            return json.dumps(self._leaf_by_leaf(parsed), ensure_ascii=False)
        return self._text(template)

    def _leaf_by_leaf(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._leaf_by_leaf(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._leaf_by_leaf(item) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, template: str) -> str:
        names = PLACEHOLDER.findall(template)
        if names and template.startswith(_BASE64):
            return self._decoded(PLACEHOLDER.sub(lambda match: self._raw(match[1]), template), names)
        return PLACEHOLDER.sub(lambda match: self._content(match[1]), template)

    def _content(self, name: str) -> str:
        raw = self._raw(name)
        return self._decoded(raw, [name]) if raw.startswith(_BASE64) else raw

    def _raw(self, name: str) -> str:
        assert self._variables is not None
        return self._variables[name]

    def _decoded(self, text: str, names: list[str]) -> str:
        decoded = _from_base64(text.removeprefix(_BASE64))
        if decoded is None:  # raised outside of `except`: the foreign exception holds the secret
            raise WindlassError(
                f"{self._where}: what follows 'base64:' with {' and '.join(names)} is not base64 of UTF-8 text; "
                "make it with: base64 -w0 FILE"
            )
        return decoded


def _from_base64(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError):
        return None


def _parsed(text: str) -> Any:
    """The JSON in `text`, or None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _leaves(text: str, field: str) -> list[str]:
    """Each text in the field's content."""
    waiting, found = [_parsed(text) if field == "extra" else text], []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, (dict, list)):
            waiting += value.values() if isinstance(value, dict) else value
    return found


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def _text(value: int | str | None) -> str | None:
    return None if value is None else str(value)


def _named(template: str) -> str:
    names = sorted(set(PLACEHOLDER.findall(template)))
    return f" (from {', '.join(names)})" if names else ""
