"""A contract test of a job: which files it gets, and what is expected of those that it writes."""

from math import isfinite
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from windlass.spec.names import RelativePath, Word
from windlass.spec.port import AnyColumn, RowCount
from windlass.spec.schedule import Day
from windlass.spec.schema import Noun, Text

FOLDER = "tests/jobs"
"""Where cases are: `tests/jobs/<pipeline>/<task>/<case>/`."""
FILE = "case.yml"


def _kind_of_rows(value: Any) -> str:
    return "\0count" if isinstance(value, (dict, RowCount)) else "\0number"


def _kind_of_columns(value: Any) -> str:
    return "\0names" if isinstance(value, list) else "\0columns"


Rows = Annotated[
    Annotated[int, Field(ge=0), Tag("\0number")] | Annotated[RowCount, Tag("\0count")], Discriminator(_kind_of_rows)
]
"""The number of rows, or the bounds of it."""
Columns = Annotated[
    Annotated[list[Text], Field(min_length=1), Tag("\0names")]
    | Annotated[dict[Text, AnyColumn], Field(min_length=1), Tag("\0columns")],
    Discriminator(_kind_of_columns),
]
"""The names of all columns in their order, or what the values of some must be."""


class ExpectedOutput(Noun):
    """What is expected of the file of one output; `equal` is the file that it is compared with."""

    equal: RelativePath | None = None
    tolerance: float | int | None = None
    ignore_order: bool = False
    key: list[Text] | None = Field(default=None, min_length=1)
    rows: Rows | None = None
    columns: Columns | None = None
    unique: list[Text] | None = Field(default=None, min_length=1)

    @field_validator("tolerance")
    @classmethod
    def _is_no_less_than_zero(cls, value: float | None) -> float | None:
        if value is not None and not (isfinite(value) and value >= 0):
            raise ValueError(f"{value:g} is no tolerance; write a number like 0.001")
        return value

    @property
    def checks(self) -> dict[str, Any]:
        """What is said of the rows, in the words of the checks of a port."""
        rows = {"at_least": self.rows, "at_most": self.rows} if isinstance(self.rows, int) else self.rows
        found: dict[str, Any] = {"rows": rows.model_dump(exclude_none=True) if isinstance(rows, RowCount) else rows}
        if isinstance(self.columns, dict):
            found["columns"] = {
                name: column if isinstance(column, str) else column.model_dump(exclude_defaults=True)
                for name, column in self.columns.items()
            }
        return {key: value for key, value in {**found, "unique": self.unique}.items() if value is not None}

    @model_validator(mode="after")
    def _can_be_compared(self) -> "ExpectedOutput":
        if self.ignore_order and self.tolerance and self.key is None:
            raise ValueError("rows in any order are compared with a tolerance by their key; give key: [COLUMN]")
        return self


class Failure(Noun):
    """How a job ends that must not end well: its exit code, and a text that its reason or its last lines hold."""

    exit_code: int | None = Field(default=None, ge=1, le=255)
    error: Text | None = None

    @model_validator(mode="after")
    def _says_how(self) -> "Failure":
        if self.exit_code is None and self.error is None:
            raise ValueError("fails needs exit_code, error or both")
        return self


class Case(Noun):
    """One `case.yml`; a case without this file has its inputs in `inputs/` and what is expected in `expected/`."""

    description: Text | None = None
    inputs: dict[Word, Text | dict[Word, Text]] = {}
    params: dict[Word, Any] = {}
    item: str | bool | int | float | None = None
    date: Day | None = None
    expect: dict[Word, ExpectedOutput] = {}
    fails: Failure | None = None

    @model_validator(mode="after")
    def _ends_in_one_way(self) -> "Case":
        if self.fails and self.expect:
            raise ValueError("a job that does not end well passes nothing on; a case has either expect or fails")
        return self
