"""Says of whole columns that all values are good, by pyarrow; what it cannot say for sure is looked at row by row."""

from collections.abc import Mapping
from typing import Any

from .checks import RowCheck
from .values import Column

_INTEGERS = "^[+-]?[0-9]{1,18}$"
_NUMBERS = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def is_surely_good(arrow: Any, check: RowCheck, values: Mapping[str, Any], rows: int, *, is_text: bool) -> bool:
    """Whether the next `rows` rows, with these columns, keep all rules; they are counted if so."""
    try:
        if not all(_fits(arrow, values[name], rule, is_text) for name, rule in check.checks.columns.items()):
            return False
        keys = [values[name].to_pylist() for name in check.checks.unique]
    except (arrow.ArrowException, TypeError, ValueError, OverflowError):
        return False
    if keys and not check.are_new(zip(*keys, strict=True)):
        return False
    check.count += rows
    return True


def _fits(arrow: Any, values: Any, column: Column, is_text: bool) -> bool:
    if values.null_count:
        if not column.nulls:
            return False
        values = values.drop_null()
    if len(values) == 0 or (column.is_plain and (is_text or column.type is None)):
        return True
    if column.one_of is None and column.matches is None:
        if column.type in ("integer", "number") and (numbers := _numbers(arrow, values, column, is_text)) is not None:
            return column.is_unbound or _is_within(arrow, numbers, column)
        if column.is_unbound and not is_text and _is_of(arrow, values.type, column.type):
            return True
    return all(column.why_not(value, is_text=is_text) is None for value in values.unique().to_pylist())


def _numbers(arrow: Any, values: Any, column: Column, is_text: bool) -> Any:
    """The values as numbers of the column's type; None where pyarrow cannot tell."""
    compute, types = arrow.compute, arrow.types
    if is_text:
        pattern = _INTEGERS if column.type == "integer" else _NUMBERS
        if not compute.all(compute.match_substring_regex(values, pattern)).as_py():
            return None
        numbers = values.cast(arrow.int64() if column.type == "integer" else arrow.float64())
    elif types.is_integer(values.type) or (column.type == "number" and types.is_floating(values.type)):
        numbers = values
    else:
        return None
    if types.is_floating(numbers.type) and not compute.all(compute.is_finite(numbers)).as_py():
        return None
    return numbers


def _is_within(arrow: Any, numbers: Any, column: Column) -> bool:
    extremes = arrow.compute.min_max(numbers).as_py()
    least, most = extremes["min"], extremes["max"]
    return (column.at_least is None or least >= column.at_least) and (column.at_most is None or most <= column.at_most)


def _is_of(arrow: Any, found: Any, wanted: str | None) -> bool:
    types = arrow.types
    return bool(
        (wanted == "string" and (types.is_string(found) or types.is_large_string(found)))
        or (wanted == "boolean" and types.is_boolean(found))
        or (wanted == "date" and types.is_date(found))
        or (wanted == "timestamp" and types.is_timestamp(found))
    )
