"""CSV, Parquet and JSON lines, turned into each other in batches: memory does not grow with the file."""

import importlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .csv_text import header
from .errors import RuntimeStop

FORMATS = (".csv", ".parquet", ".jsonl")
TYPES = ("boolean", "integer", "number", "string", "date", "timestamp")
_BLOCK = 8 * 1024 * 1024
_ROWS = 65536


def format_of(name: str) -> str:
    """The ending that tells the format of a file; ValueError for another one."""
    ending = Path(name).suffix
    if ending not in FORMATS:
        raise ValueError(f"{name!r} has none of the endings {', '.join(FORMATS)}")
    return ending


def convert(source: Path, target: Path, types: Mapping[str, str] | None = None) -> int:
    """Writes the rows of `source` to `target` in the format of its ending, and returns their number.

    A column that is not in `types` gets the type that its first values in a CSV file have. In CSV an empty field is a
    null and `""` is empty text. JSON has no NaN: it becomes a null.
    """
    arrow = _arrow()
    rows = 0
    with _translated(arrow, source):
        reader = _reader(arrow, source, types or {})
        writer = None
        try:
            for batch in reader:
                writer = writer or _writer(arrow, target, _distinct(batch.schema, source))
                writer.write_batch(batch)
                rows += batch.num_rows
            if writer is None:
                raise RuntimeStop(f"{source.name} has neither rows nor columns")
        finally:
            if writer is not None:
                writer.close()
    return rows


def _arrow() -> Any:
    try:
        arrow = importlib.import_module("pyarrow")
        for name in ("csv", "json", "parquet"):
            importlib.import_module(f"pyarrow.{name}")
    except ImportError as error:
        raise RuntimeStop("this Airflow lacks pyarrow, which reads Parquet; add pyarrow to its image") from error
    return arrow


def read_batches(source: Path) -> Iterator[Any]:
    """The rows of a Parquet or JSON lines file, as batches of pyarrow; at least one, without rows if need be."""
    arrow = _arrow()
    with _translated(arrow, source):
        yield from _reader(arrow, source, {})


def _reader(arrow: Any, source: Path, types: Mapping[str, str]) -> Iterator[Any]:
    ending = format_of(source.name)
    if ending == ".parquet":
        return _parquet(arrow, source, types)
    if source.stat().st_size == 0:
        raise RuntimeStop(f"{source.name} is empty")
    wanted = {name: _types(arrow)[kind] for name, kind in types.items()}
    if ending == ".csv":
        reader = arrow.csv.open_csv(
            source,
            read_options=arrow.csv.ReadOptions(block_size=_BLOCK),
            # a blank line is no row, but the null of an only column
            parse_options=arrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(header(source)) > 1),
            convert_options=arrow.csv.ConvertOptions(
                column_types=wanted, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
    else:
        schema = arrow.schema(list(wanted.items())) if wanted else None
        options = arrow.json.ParseOptions(explicit_schema=schema, newlines_in_values=False)
        reader = arrow.json.open_json(source, arrow.json.ReadOptions(block_size=_BLOCK), options)
    _check_types(types, reader.schema.names, source)
    return _at_least_one(arrow, reader)


def _parquet(arrow: Any, source: Path, types: Mapping[str, str]) -> Iterator[Any]:
    with arrow.parquet.ParquetFile(source) as file:
        _check_types(types, file.schema_arrow.names, source)
        fields = [
            field.with_type(_types(arrow)[types[field.name]]) if field.name in types else field
            for field in file.schema_arrow
        ]
        schema = arrow.schema(fields)
        batches = (batch.cast(schema) if types else batch for batch in file.iter_batches(batch_size=_ROWS))
        yield from _or_empty(arrow, batches, schema)


def _at_least_one(arrow: Any, reader: Any) -> Iterator[Any]:
    with reader:
        yield from _or_empty(arrow, iter(reader), reader.schema)


def _or_empty(arrow: Any, batches: Iterator[Any], schema: Any) -> Iterator[Any]:
    first = next(batches, None)
    yield first if first is not None else arrow.RecordBatch.from_pylist([], schema=schema)
    yield from batches


def _check_types(types: Mapping[str, str], names: list[str], source: Path) -> None:
    unknown = [name for name in types if name not in names]
    if unknown:
        raise RuntimeStop(f"types: {source.name} has no column {unknown[0]!r}; it has {names}")


def _distinct(schema: Any, source: Path) -> Any:
    """`schema` itself; RuntimeStop where two columns have one name: formats with names would keep only one of them."""
    twice = [name for name in schema.names if schema.names.count(name) > 1]
    if twice:
        raise RuntimeStop(f"{source.name} has several columns {twice[0]!r}; name each differently")
    return schema


def _types(arrow: Any) -> dict[str, Any]:
    kinds = (arrow.bool_(), arrow.int64(), arrow.float64(), arrow.string(), arrow.date32(), arrow.timestamp("us"))
    return dict(zip(TYPES, kinds, strict=True))


def _writer(arrow: Any, target: Path, schema: Any) -> Any:
    ending = format_of(target.name)
    if ending == ".csv":
        return arrow.csv.CSVWriter(target, schema)
    if ending == ".parquet":
        return arrow.parquet.ParquetWriter(target, schema)
    return _LinesWriter(target)


class _LinesWriter:
    """Writes batches as JSON lines: dates as ISO text, decimals as their digits."""

    def __init__(self, target: Path) -> None:
        self._file = target.open("w", encoding="utf-8", newline="\n")

    def write_batch(self, batch: Any) -> None:
        for row in batch.to_pylist():
            self._file.write(json.dumps(_plain(row), ensure_ascii=False, allow_nan=False) + "\n")

    def close(self) -> None:
        self._file.close()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):  # a map is a list of pairs
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        raise RuntimeStop("JSON has no bytes; leave that column out")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@contextmanager
def _translated(arrow: Any, source: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, arrow.ArrowException) as error:  # OSError is what damaged pages are for it
        if getattr(error, "errno", None) is not None:
            raise
        said = str(error).splitlines()[0][:400]
        if source.suffix == ".parquet":
            raise RuntimeStop(f"{source.name}: {said}") from error
        raise RuntimeStop(f"{source.name}: {said}; a wrong guess of a column's type is corrected by types") from error
