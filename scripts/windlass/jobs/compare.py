"""Says how a file differs from the one that was expected: the first row and column, or the lines of a text."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, localcontext
from difflib import unified_diff
from math import isfinite
from pathlib import Path
from typing import Any

from windlass.runtime.compressed import compression_of, unpacked
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.rows import read_rows
from windlass.runtime.tables import FORMATS

_TEXT_SIZE = 256 * 1024
_LINES = 20
_COLUMNS = 50
_ANY_SIZE = Context(traps=[])
"""A difference may be too large to be a number: it is infinite then, and no error."""


@dataclass(frozen=True)
class Likeness:
    """What counts as equal: numbers that differ by at most `tolerance`, rows with the same `key` or in any order."""

    tolerance: float = 0.0
    key: tuple[str, ...] = ()
    ignore_order: bool = False

    @property
    def is_exact(self) -> bool:
        """Whether only the same bytes are equal."""
        return not (self.tolerance or self.key or self.ignore_order)


def difference(expected: Path, came: Path, likeness: Likeness) -> str | None:
    """How the file `came` differs from `expected`, None when it does not; RuntimeStop where one cannot be read."""
    if expected.read_bytes() == came.read_bytes():
        return None
    if compression_of(came.name):  # its bytes tell of the program that packed it, too
        with unpacked_file(expected) as one, unpacked_file(came) as two:
            return difference(one, two, likeness)
    ending = came.suffix
    if ending in FORMATS:
        found = table_difference(read_rows(expected), read_rows(came), likeness)
        if found or not likeness.is_exact:
            return found
        return f"the values are the same and the bytes are not; {_of_text(expected, came)}"
    if ending == ".json" and not likeness.is_exact:
        return _of_json(_json(expected), _json(came), likeness.tolerance)
    if not likeness.is_exact:
        raise RuntimeStop(f"only {', '.join((*FORMATS, '.json'))} files are compared by their values")
    return _of_text(expected, came)


@contextmanager
def unpacked_file(path: Path) -> Iterator[Path]:
    """The file itself, or for one that ends with .gz or .zst a file of what is inside it, which is gone afterwards."""
    ending = compression_of(path.name)
    if not ending:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="windlass-test-") as folder:
        plain = Path(folder, path.name.removesuffix(ending))
        with path.open("rb") as packed, unpacked(packed, path.name) as inner, plain.open("wb") as file:
            shutil.copyfileobj(inner, file)
        yield plain


Table = tuple[list[str], Iterator[list[Any]]]


def table_difference(expected: Table, came: Table, likeness: Likeness) -> str | None:
    """How two tables, their columns and rows, differ; rows count from 1, the header left out."""
    (columns, rows), (other_columns, other_rows) = expected, came
    if columns != other_columns:
        return _of_columns(columns, other_columns)
    wanted, found = list(rows), list(other_rows)
    if likeness.key:
        return _by_key(columns, wanted, found, likeness)
    if likeness.ignore_order:
        return _in_any_order(columns, wanted, found)
    for number, (row, other) in enumerate(zip(wanted, found, strict=False), 1):
        if reason := _of_row(columns, row, other, likeness.tolerance):
            return f"row {number}: {reason}"
    return _of_count(columns, wanted, found)


def _of_columns(wanted: list[str], found: list[str]) -> str:
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    what = f"column {missing[0]!r} is missing" if missing else f"column {extra[0]!r} was not expected" if extra else ""
    return f"{what or 'the columns come in another order'}; expected {_listed(wanted)}, came {_listed(found)}"


def _of_count(columns: list[str], wanted: list[list[Any]], found: list[list[Any]]) -> str | None:
    if len(wanted) == len(found):
        return None
    first = min(len(wanted), len(found))
    what = f"row {first + 1} is missing: {_shown_row(columns, wanted[first])}" if len(found) == first else ""
    what = what or f"row {first + 1} was not expected: {_shown_row(columns, found[first])}"
    return f"expected {_count(wanted)}, came {_count(found)}; {what}"


def _by_key(columns: list[str], wanted: list[list[Any]], found: list[list[Any]], likeness: Likeness) -> str | None:
    places = [_place(columns, name) for name in likeness.key]
    expected = _keyed(wanted, places, likeness.key, "what is expected")
    came = _keyed(found, places, likeness.key, "what came")
    for key, (_, row) in expected.items():
        if key not in came:
            return f"the row with {_shown_key(likeness.key, key)} is missing: {_shown_row(columns, row)}"
        number, other = came[key]
        if reason := _of_row(columns, row, other, likeness.tolerance):
            return f"row {number} ({_shown_key(likeness.key, key)}): {reason}"
    for key, (number, _) in came.items():
        if key not in expected:
            return f"row {number} was not expected: {_shown_key(likeness.key, key)}"
    return None


def _keyed(
    rows: list[list[Any]], places: list[int], names: Sequence[str], where: str
) -> dict[tuple[str, ...], tuple[int, list[Any]]]:
    """The rows, and their numbers, by the text of their keys; RuntimeStop when two have the same."""
    found: dict[tuple[str, ...], tuple[int, list[Any]]] = {}
    for number, row in enumerate(rows, 1):
        key = tuple(repr(row[place]) if place < len(row) else "" for place in places)
        if key in found:
            raise RuntimeStop(
                f"{', '.join(names)} is no key: rows {found[key][0]} and {number} of {where} both have "
                f"{_shown_key(names, key)}"
            )
        found[key] = number, row
    return found


def _in_any_order(columns: list[str], wanted: list[list[Any]], found: list[list[Any]]) -> str | None:
    left = Counter(repr(row) for row in wanted)
    left.subtract(repr(row) for row in found)
    missing = [row for row in wanted if left[repr(row)] > 0]
    extra = [row for row in found if left[repr(row)] < 0]
    if not missing and not extra:
        return None
    parts = [f"expected {_count(wanted)}, came {_count(found)}"] if len(wanted) != len(found) else []
    parts += [f"expected and missing: {_shown_row(columns, missing[0])}"] if missing else []
    parts += [f"came and was not expected: {_shown_row(columns, extra[0])}"] if extra else []
    return "; ".join(parts)


def _of_row(columns: list[str], wanted: list[Any], found: list[Any], tolerance: float) -> str | None:
    if len(wanted) != len(found):
        return f"expected {len(wanted)} fields, came {len(found)}"
    for name, value, other in zip(columns, wanted, found, strict=False):
        if reason := _of_value(value, other, tolerance):
            return f"column {name!r}: {reason}"
    if len(wanted) > len(columns) and wanted != found:
        return "what stands behind the last column differs"
    return None


def _of_value(wanted: Any, found: Any, tolerance: float) -> str | None:
    if _same(wanted, found):
        return None
    said = f"expected {_shown(wanted)}, came {_shown(found)}"
    one, two = _decimal(wanted), _decimal(found)
    if not tolerance or one is None or two is None:
        return said
    with localcontext(_ANY_SIZE):
        apart = abs(one - two)
    return f"{said}; they differ by {apart:g}, more than {tolerance:g}" if apart > Decimal(repr(tolerance)) else None


def _same(wanted: Any, found: Any) -> bool:
    """Equal and of one kind: for JSON and Parquet, 1 is neither true nor 1.0. Not-a-number is itself."""
    return type(wanted) is type(found) and (wanted == found or (wanted != wanted and found != found))


def _decimal(value: Any) -> Decimal | None:
    """The number that a field holds, exactly as it is written."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    text = value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)
    if "_" in text or text != text.strip():
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RuntimeStop(f"{path.name} is no JSON: {error}") from error


def _of_json(wanted: Any, found: Any, tolerance: float, where: str = "") -> str | None:
    place = f"{where or 'the whole'}: "
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in wanted:
            if key not in found:
                return f"{place}key {key!r} is missing"
            if reason := _of_json(wanted[key], found[key], tolerance, f"{where}.{key}".removeprefix(".")):
                return reason
        extra = next((key for key in found if key not in wanted), None)
        return None if extra is None else f"{place}key {extra!r} was not expected"
    if isinstance(wanted, list) and isinstance(found, list):
        for number, (one, two) in enumerate(zip(wanted, found, strict=False)):
            if reason := _of_json(one, two, tolerance, f"{where}[{number}]"):
                return reason
        same = len(wanted) == len(found)
        return None if same else f"{place}expected {len(wanted)} items, came {len(found)}"
    numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (wanted, found))
    finite = numbers and all(isinstance(one, int) or isfinite(one) for one in (wanted, found))
    reason = _of_value(wanted, found, tolerance if finite else 0)
    return f"{place}{reason}" if reason else None


def _of_text(expected: Path, came: Path) -> str:
    """The lines that differ, where both files are small texts; else the first byte that does."""
    one, two = expected.read_bytes(), came.read_bytes()
    place = next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    sizes = f"expected {len(one):,} bytes, came {len(two):,}; they differ from byte {place + 1:,} on"
    if max(len(one), len(two)) > _TEXT_SIZE or b"\0" in one + two:
        return sizes
    try:
        texts = [part.decode().splitlines(keepends=True) for part in (one, two)]
    except UnicodeDecodeError:
        return sizes
    lines = [_visible(line) for line in unified_diff(texts[0], texts[1], "expected", "came", n=1)]
    more = [f"... and {len(lines) - _LINES} lines more"] if len(lines) > _LINES else []
    return "\n".join(["the lines that differ:", *lines[:_LINES], *more])


def _visible(line: str) -> str:
    """A line of a difference without its end; an end that is no line feed alone is shown."""
    body = line.rstrip("\r\n")
    end = line[len(body) :]
    shown = body if len(body) <= 300 else body[:300] + "..."
    return shown + ("" if end == "\n" else repr(end)[1:-1].replace("\\n", "") if end else " (no line feed)")


def _place(columns: list[str], name: str) -> int:
    if name not in columns:
        raise RuntimeStop(f"there is no column {name!r} to be the key; the columns are {columns}")
    return columns.index(name)


def _count(rows: list[list[Any]]) -> str:
    return f"{len(rows)} row{'' if len(rows) == 1 else 's'}"


def _listed(names: list[str]) -> str:
    return str(names) if len(names) <= _COLUMNS else f"{len(names)} columns"


def _shown_key(names: Sequence[str], key: Sequence[str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(names, key, strict=True))


def _shown_row(columns: list[str], row: list[Any]) -> str:
    shown = ", ".join(f"{name} {_shown(value)}" for name, value in zip(columns, row, strict=False))
    return shown if len(shown) <= 300 else shown[:300] + "..."


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
