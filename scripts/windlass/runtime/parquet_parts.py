"""Parquet files cut into parts of whole rows and put together again, a batch at a time."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from .compressed import need_arrow, written_by
from .csv_text import Cut
from .errors import RuntimeStop
from .parquet_values import refused
from .splitting import Source

_ROWS = 65536


def split_parquet(source: Source, cut: Cut, begin: Callable[[int], AbstractContextManager[Any]]) -> int:
    """Writes parts with the same columns, types and metadata; `size` is a share of the file's own size."""
    arrow = need_arrow(source.name)
    with source.open() as raw, _opened(arrow, raw, source.name) as file:
        rows = file.metadata.num_rows
        each = _rows_of(cut, rows, source.size)
        batches = _Batches(arrow, file, source.name)
        number = 0
        while number == 0 or batches.left:
            with begin(number) as target, _writer(arrow, target, file) as writer:
                batches.copy(writer, each)
            number += 1
    return number


def merge_parquet(parts: Iterable[Source], made: AbstractContextManager[Any]) -> int:
    """Writes the rows of all parts; one with other columns or types is refused."""
    number, schema, writer = 0, None, None
    with made as target:
        try:
            for number, part in enumerate(parts, 1):
                arrow = need_arrow(part.name)
                with part.open() as raw, _opened(arrow, raw, part.name) as file:
                    if writer is None:
                        schema, writer = file.schema_arrow, _writer(arrow, target, file)
                    elif not file.schema_arrow.equals(schema):
                        raise RuntimeStop(f"part {number} ({part.name}) has other columns or types than the first part")
                    _Batches(arrow, file, part.name).copy(writer, file.metadata.num_rows)
        finally:
            if writer is not None:
                writer.close()
        if not number:
            raise RuntimeStop("there are no parts to merge; the task before has produced none")
    return number


def _rows_of(cut: Cut, rows: int, size: int) -> int:
    if cut.rows:
        return cut.rows
    if cut.size:
        return max(rows * cut.size // max(size, 1), 1)
    return max(-(-rows // (cut.parts or 1)), 1)


class _Batches:
    """The rows of a file that nobody has taken yet."""

    def __init__(self, arrow: Any, file: Any, name: str) -> None:
        self._arrow, self._name, self._batches = arrow, name, file.iter_batches(batch_size=_ROWS)
        self.left, self._waiting = file.metadata.num_rows, None

    def copy(self, writer: Any, rows: int) -> None:
        """Writes the next rows, fewer where there are fewer."""
        while rows and self.left:
            batch = self._waiting if self._waiting is not None else self._next()
            taken = batch.slice(0, rows)
            self._waiting = batch.slice(rows) if batch.num_rows > rows else None
            writer.write_batch(taken)
            rows, self.left = rows - taken.num_rows, self.left - taken.num_rows

    def _next(self) -> Any:
        with refused(self._arrow, f"{self._name} is no whole Parquet file"):
            batch = next(self._batches, None)
        if batch is None:
            raise RuntimeStop(f"{self._name} is no whole Parquet file: it has fewer rows than it says")
        return batch


def _opened(arrow: Any, raw: Any, name: str) -> Any:
    with refused(arrow, f"{name} is no whole Parquet file"):
        return arrow.parquet.ParquetFile(raw)


def _writer(arrow: Any, target: Any, file: Any) -> Any:
    groups = file.metadata.num_row_groups and file.metadata.num_columns
    compression = file.metadata.row_group(0).column(0).compression if groups else "SNAPPY"
    return arrow.parquet.ParquetWriter(
        written_by(arrow, target),
        file.schema_arrow,
        compression="NONE" if compression == "UNCOMPRESSED" else compression,
    )
