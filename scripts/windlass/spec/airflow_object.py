"""A variable, a connection or a pool as it is in an Airflow, and as it is wanted there; no content shows itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

Kind = Literal["variable", "connection", "pool"]
Fields = Mapping[str, SecretStr | None]

MASKED: Mapping[Kind, frozenset[str]] = {
    "variable": frozenset({"value"}),
    "connection": frozenset({"password", "extra"}),
    "pool": frozenset(),
}
"""The fields that Airflow's API shows with `MASK` in place of what it takes for a secret."""
MASK = "***"
MARK = "(kept by windlass)"
"""What the description of each object that windlass made or took over ends with, for people and for windlass."""


@dataclass(frozen=True, order=True)
class Key:
    """The name of an object; two kinds may have an object of the same name."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def path(self) -> str:
        """The key in records and options: `connection/dwh`."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Live:
    """An object as Airflow reports it; None is a field without content."""

    key: Key
    fields: Fields = field(repr=False)

    @property
    def is_marked(self) -> bool:
        """Whether its description says that windlass keeps it."""
        description = self.fields.get("description")
        return description is not None and description.get_secret_value().endswith(MARK)


@dataclass(frozen=True)
class Wanted:
    """An object as it shall be. `secret` fields are never shown; `unresolved` ones are not known, nor compared."""

    key: Key
    fields: Fields = field(repr=False)
    secret: frozenset[str] = frozenset()
    unresolved: frozenset[str] = frozenset()
