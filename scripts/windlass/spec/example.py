"""A value that a parameter of a template could have, for looking at a template that nobody uses yet."""

import math
from typing import Any

from windlass.spec.template import TemplateParameter

_TEXTS = (
    *("example", "a", "A", "1", "a1", "example.csv", "a.b", "a.b.c", "example/example", "s3://example/example"),
    *("2026-01-31", "2026-01-31T06:00:00", "06:00", "1 hour", "@daily", "0 3 * * *", "64Mi"),
)
"""Of what people write patterns and formats for."""


def example_of(parameter: TemplateParameter) -> Any:
    """A value of the parameter's type that it takes, as far as one is easily found."""
    if parameter.enum:
        return parameter.enum[0]
    low, high = parameter.minimum, parameter.maximum
    bound = low if low is not None else high if high is not None else 1
    others = {
        "boolean": True,
        "integer": math.ceil(bound) if math.isfinite(bound) else 1,
        "number": bound,
        "array": ["example"],
        "object": {"example": "example"},
    }
    if parameter.type in others:
        return others[parameter.type]
    return next((text for text in _TEXTS if parameter.why_not(text) is None), _TEXTS[0])
