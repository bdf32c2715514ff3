"""A parameter of a pipeline: what Airflow's trigger form asks for, with its type and bounds."""

from datetime import date, datetime, time
from typing import Any

from pydantic import Field, field_validator, model_validator

from windlass.spec.problem import near
from windlass.spec.schema import Noun, Text

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_FORMATS: dict[str, Any] = {
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
    "time": time.fromisoformat,
    "multiline": str,
}


class Parameter(Noun):
    """`default: null` lets it be left empty; without `default` whoever starts a run must give a value."""

    type: Text
    default: Any = None
    title: Text | None = None
    description: Text | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = Field(default=None, ge=0)
    max_length: int | None = Field(default=None, ge=0)
    format: Text | None = None
    enum: list[Any] | None = Field(default=None, min_length=1)

    @property
    def has_default(self) -> bool:
        """Whether a run may begin without a value for it."""
        return "default" in self.model_fields_set

    @field_validator("type")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in _KINDS:
            raise ValueError(f"there is no type {value!r}{near(value, _KINDS)}")
        return value

    @field_validator("format")
    @classmethod
    def _is_a_format(cls, value: str | None) -> str | None:
        if value is not None and value not in _FORMATS:
            raise ValueError(f"there is no format {value!r}{near(value, _FORMATS)}")
        return value

    @model_validator(mode="after")
    def _fits_itself(self) -> "Parameter":
        numeric = self.type in ("integer", "number")
        if (self.minimum is not None or self.maximum is not None) and not numeric:
            raise ValueError(f"minimum and maximum bound numbers, and the type is {self.type}")
        if self.type != "string" and (self.format or self.min_length is not None or self.max_length is not None):
            raise ValueError(f"format, min_length and max_length are for text, and the type is {self.type}")
        for value in self.enum or []:
            self._check(value, "enum")
        if self.default is not None:
            self._check(self.default, "default")
            if self.enum is not None and self.default not in self.enum:
                raise ValueError(f"default {self.default!r} is not in enum")
        return self

    def _check(self, value: Any, what: str) -> None:
        if not isinstance(value, _KINDS[self.type]) or (isinstance(value, bool) and self.type != "boolean"):
            raise ValueError(f"{what} {value!r} is not of the type {self.type}")
        if isinstance(value, (int, float)):
            if self.minimum is not None and value < self.minimum:
                raise ValueError(f"{what} {value!r} is less than the minimum {self.minimum:g}")
            if self.maximum is not None and value > self.maximum:
                raise ValueError(f"{what} {value!r} is more than the maximum {self.maximum:g}")
        if isinstance(value, str):
            self._check_text(value, what)

    def _check_text(self, value: str, what: str) -> None:
        if len(value) < (self.min_length or 0) or (self.max_length is not None and len(value) > self.max_length):
            raise ValueError(f"{what} {value!r} is shorter than min_length or longer than max_length")
        try:
            _FORMATS[self.format or "multiline"](value)
        except ValueError:
            raise ValueError(f"{what} {value!r} is not of the format {self.format}") from None
