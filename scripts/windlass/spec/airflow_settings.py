"""What an environment's file declares for its Airflow: variables, connections and pools, with `${NAME}` unresolved.

A variable's value and a connection's password and extra hide themselves: they are never shown, resolved or not.
"""

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from windlass.spec.placeholder import PLACEHOLDER, check_placeholders
from windlass.spec.schema import Noun

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name for Airflow here; take letters, digits, _, - and dots")
    return value


def _pool_name(value: str) -> str:
    if value == "default_pool":
        raise ValueError("default_pool is Airflow's own; set its size there, or declare another pool")
    return _name(value)


def _hidden_text(value: object) -> object:
    """Text as a secret; anything else as it is, so that it is refused by its type."""
    return SecretStr(check_placeholders(value)) if isinstance(value, str) else value


def _hidden_variable(value: Any) -> SecretStr:
    """Text as it is, everything else as the JSON that Airflow keeps for it."""
    if value is None:
        raise ValueError("must be text, a number, true or false, a list or a mapping, not nothing")
    return SecretStr(check_placeholders(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def _hidden_extra(value: Any) -> SecretStr:
    if isinstance(value, dict):
        return SecretStr(check_placeholders(json.dumps(value, ensure_ascii=False)))
    if isinstance(value, str) and (PLACEHOLDER.search(value) or isinstance(_json(value), dict)):
        return SecretStr(check_placeholders(value))
    raise ValueError("must be a mapping, or text that is a JSON object once ${NAME} is filled in")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _port(value: int | str) -> int | str:
    if isinstance(value, str) and not PLACEHOLDER.fullmatch(value):
        raise ValueError("must be a number, or ${NAME} alone")
    if isinstance(value, int) and not 0 < value < 65536:
        raise ValueError("must be between 1 and 65535")
    return value


def _slots(value: int | str) -> int | str:
    if isinstance(value, str) and not PLACEHOLDER.fullmatch(value):
        raise ValueError("must be a number, or ${NAME} alone")
    if isinstance(value, int) and value < -1:
        raise ValueError("must be -1 (no limit), 0 or more")
    return value


Plain = Annotated[str, AfterValidator(check_placeholders)]
Hidden = Annotated[SecretStr, BeforeValidator(_hidden_text)]
VariableValue = Annotated[SecretStr, BeforeValidator(_hidden_variable)]
Extra = Annotated[SecretStr, BeforeValidator(_hidden_extra)]
Name = Annotated[str, AfterValidator(_name)]
PoolName = Annotated[str, AfterValidator(_pool_name)]


class Connection(Noun):
    """A connection of Airflow; `extra` is a mapping, or a JSON object as text."""

    type: Annotated[Plain, Field(min_length=1)]
    host: Plain | None = None
    port: Annotated[int | str, AfterValidator(_port)] | None = None
    schema_: Plain | None = Field(default=None, alias="schema")
    login: Plain | None = None
    password: Hidden | None = None
    extra: Extra | None = None


class Pool(Noun):
    """A pool of Airflow; -1 slots are unlimited."""

    slots: Annotated[int | str, AfterValidator(_slots)]
    description: Plain | None = None
