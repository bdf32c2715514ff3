"""An output of a task: the name of a file, or the file with what must be true of its rows before it is passed on."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from windlass.spec.names import Filename
from windlass.spec.problem import near
from windlass.spec.schema import Noun, Text

COLUMN_TYPES = ("boolean", "integer", "number", "string", "date", "timestamp")
"""What the values of a column may be."""
ROW_ENDINGS = (".csv", ".csv.gz", ".csv.zst", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
"""The endings of files whose rows windlass can read."""
_NUMBERS = ("integer", "number")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
_TIMES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "date": (re.compile(_DATE), "2026-01-31"),
    "timestamp": (re.compile(f"{_DATE}([T ]{_TIME})?"), "2026-01-31 06:00:00"),
}
"""What is read in a file: Python's fromisoformat takes more, such as 20260131."""

Number = int | Annotated[float, Field(allow_inf_nan=False)]
Bound = Number | Text


def _is_type(value: str) -> str:
    if value not in COLUMN_TYPES:
        raise ValueError(f"there is no type {value!r}{near(value, COLUMN_TYPES)}")
    return value


def _is_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression of Python: {error}") from None
    return value


ColumnType = Annotated[str, AfterValidator(_is_type)]


class RowCount(Noun):
    """How many rows a file must have."""

    at_least: int | None = Field(default=None, ge=0)
    at_most: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _is_a_range(self) -> "RowCount":
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is more than at_most {self.at_most}")
        return self


class Column(Noun):
    """What each value of a column must be; of an empty one only `nulls` is asked."""

    type: ColumnType | None = None
    nulls: bool = True
    at_least: Bound | None = None
    at_most: Bound | None = None
    one_of: Annotated[list[Text | Number], Field(min_length=1)] | None = None
    matches: Annotated[Text, AfterValidator(_is_pattern)] | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> "Column":
        bounds = [("at_least", self.at_least), ("at_most", self.at_most)]
        given = [(key, value) for key, value in bounds if value is not None]
        for key, value in [*given, *(("one_of", value) for value in self.one_of or [])]:
            self._check_value(key, value)
        if self.matches is not None and self.type not in (None, "string"):
            raise ValueError(f"matches is for text, and the column is of type {self.type}")
        if len({isinstance(value, str) for _, value in given}) > 1:
            raise ValueError("at_least and at_most are either both numbers or both text")
        if len(given) == 2 and self._compared(given[0][1]) > self._compared(given[1][1]):
            raise ValueError(f"at_least {self.at_least!r} is more than at_most {self.at_most!r}")
        return self

    def _compared(self, value: Any) -> Any:
        """A bound as it is compared: of dates and timestamps the moment, None for what is none."""
        if self.type is None or self.type not in _TIMES:
            return value
        if not isinstance(value, str) or not _TIMES[self.type][0].fullmatch(value):
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _check_value(self, key: str, value: Any) -> None:
        """ValueError for a bound, or one of the values, that no value of the column's type can be compared with."""
        if self.type == "boolean" or (key == "one_of" and self.type in _TIMES):
            raise ValueError(f"a column of type {self.type} takes no {key}")
        if self.type is not None and self.type in _TIMES:
            if self._compared(value) is None:
                raise ValueError(f"{key} {value!r} is no {self.type}; write it like '{_TIMES[self.type][1]}'")
        elif self.type in _NUMBERS and isinstance(value, str):
            raise ValueError(f"{key} {value!r} is no number, and the column is of type {self.type}")
        elif self.type == "string" and not isinstance(value, str):
            raise ValueError(f"{key} {value!r} is no text, and the column is of type string; quote it")
        elif self.type is None and key == "one_of" and not isinstance(value, str):
            raise ValueError(f"one_of has the number {value!r}; say the column's type, or quote it")


def _kind_of_column(value: Any) -> str:
    return "\0column" if isinstance(value, (dict, Column)) else "\0type"


AnyColumn = Annotated[
    Annotated[ColumnType, Tag("\0type")] | Annotated[Column, Tag("\0column")], Discriminator(_kind_of_column)
]
"""The type of a column, or more about it."""


class Output(Noun):
    """A file that a task leaves, with what must be true of its rows before it is passed on."""

    file: Filename
    rows: RowCount | None = None
    columns: Annotated[dict[Text, AnyColumn], Field(min_length=1)] | None = None
    unique: Annotated[list[Text], Field(min_length=1)] | None = None
    extra_columns: Literal["allow", "refuse"] = "allow"

    @model_validator(mode="after")
    def _can_be_checked(self) -> "Output":
        if self.checks and not self.file.endswith(ROW_ENDINGS):
            raise ValueError(f"the rows of {self.file!r} cannot be checked; that takes {', '.join(ROW_ENDINGS)}")
        if self.extra_columns == "refuse":
            if not self.columns:
                raise ValueError("extra_columns: refuse needs columns, which say what no extra column is")
            others = [name for name in self.unique or [] if name not in self.columns]
            if others:
                raise ValueError(
                    f"unique names {others[0]!r}, which is none of the columns{near(others[0], self.columns)}"
                )
        return self

    @property
    def checks(self) -> dict[str, Any]:
        """What is said besides the file's name, in the shortest form: what means the same is the same."""
        written = self.model_dump(exclude_defaults=True, exclude={"file"})
        for name, column in written.get("columns", {}).items():
            if isinstance(column, dict) and column.keys() == {"type"}:
                written["columns"][name] = column["type"]
        return {key: written[key] for key in ("rows", "columns", "unique", "extra_columns") if key in written}


def _kind_of_output(value: Any) -> str:
    return "\0output" if isinstance(value, (dict, Output)) else "\0file"


AnyOutput = Annotated[
    Annotated[Filename, Tag("\0file")] | Annotated[Output, Tag("\0output")], Discriminator(_kind_of_output)
]
"""The name of a file, or the file with what must be true of it."""


def of_parts(checks: Mapping[str, Any]) -> dict[str, Any]:
    """Of an output of a task that runs for each part of a file: what is checked of what it leaves for one part."""
    return {key: checks[key] for key in ("columns", "extra_columns") if key in checks}


def of_whole(checks: Mapping[str, Any]) -> dict[str, Any]:
    """The rest of it, which is checked when the parts are together again."""
    return {key: checks[key] for key in ("rows", "unique") if key in checks}
