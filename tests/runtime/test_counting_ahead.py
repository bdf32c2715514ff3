"""Other processes count ahead of the one that cuts; whatever becomes of them, the parts are those of one process."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windlass.runtime import counting_ahead, csv_header
from windlass.runtime.counting_ahead import Ahead, count_ahead
from windlass.runtime.csv_dialect import LINES, Dialect, dialect_of
from windlass.runtime.csv_text import Cut
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.local_parts import LocalFile, split_here

ROWS = b"".join(b'%d,"two\nlines, %d",5" disk,plain\n' % (i, i) for i in range(400))
CONTENT = b"id,text,size,kind\n" + ROWS


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is large, and two processes count."""
    monkeypatch.setattr(counting_ahead, "LEAST", 0)
    monkeypatch.setattr(counting_ahead, "PIECE", 512)
    monkeypatch.setattr(counting_ahead, "_LINE", 100)
    monkeypatch.setattr(csv_header, "_BLOCK", 64)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def children() -> set[str]:
    """The processes that this one has started, those that ended and were not waited for among them."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def parts_of(path: Path, rows: int, dialect: Dialect, folder: Path) -> list[bytes]:
    made = split_here(LocalFile(path), Cut(rows=rows), folder, path.name, dialect, force=True)
    return [part.read_bytes() for part in made]


def parts_or_reason(path: Path, rows: int, dialect: Dialect, folder: Path) -> list[bytes] | str:
    try:
        return parts_of(path, rows, dialect, folder)
    except RuntimeStop as stop:
        return str(stop)


PIECES = st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"\\", b"ab", b'5" disk', b',"x\ny"\n', b'"\n"', b"1,2\n"])


@given(
    body=st.lists(PIECES, max_size=60).map(b"".join),
    rows=st.integers(1, 5),
    piece=st.integers(1, 40),
    line=st.integers(1, 40),
    dialect=st.sampled_from([Dialect(), dialect_of(","), dialect_of(",", None, "\\"), dialect_of(",", "none")]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_parts_are_those_of_one_process(
    body: bytes, rows: int, piece: int, line: int, dialect: Dialect, tmp_path: Path
) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,b\n" + body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting_ahead, "PIECE", piece)
        patch.setattr(counting_ahead, "_LINE", line)
        ahead = parts_or_reason(path, rows, dialect, tmp_path / "parts")
        patch.setattr(counting_ahead, "LEAST", 1 << 60)
        assert ahead == parts_or_reason(path, rows, dialect, tmp_path / "parts")


def used_counts(path: Path, dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many pieces there are, and how many of them were counted here after all."""
    counted: list[int] = []
    count = counting_ahead.count

    def count_here(data: bytes, dialect: Dialect, is_open: bool) -> tuple[int, bool]:
        counted.append(len(data))
        return count(data, dialect, is_open)

    pieces, is_open = 0, False
    with path.open("rb") as file, count_ahead(path, 0, dialect) as ahead:
        assert ahead
        monkeypatch.setattr(counting_ahead, "count", count_here)
        for piece in ahead.segments(b"", file.read, dialect):
            pieces += 1
            _, is_open = ahead.count(piece, dialect, is_open)
    return pieces, len(counted)


@pytest.mark.parametrize("dialect", [dialect_of(","), LINES])
def test_nearly_every_piece_is_counted_by_the_others(
    dialect: Dialect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = b'1,"two\nlines, and ""more""",plain\n'
    (tmp_path / "x.csv").write_bytes(row * 1000)
    pieces, here = used_counts(tmp_path / "x.csv", dialect, monkeypatch)
    assert pieces > 60 and here == 1  # the first piece has no line before it


def test_a_wrong_guess_costs_time_and_nothing_else(tmp_path: Path) -> None:
    text = b'1,"' + b"looks,like,rows\n" * 500 + b'"\n'  # the quotes are too far away to guess that these are text
    (tmp_path / "data.csv").write_bytes(b"a,b\n" + text * 5)
    assert parts_of(tmp_path / "data.csv", 2, Dialect(), tmp_path / "p") == [
        b"a,b\n" + text * 2,
        b"a,b\n" + text * 2,
        b"a,b\n" + text,
    ]


@pytest.mark.parametrize("when", [0, 1, 9])
def test_processes_that_die_cost_time_and_nothing_else(
    when: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(CONTENT)
    monkeypatch.setattr(counting_ahead, "LEAST", 1 << 60)
    alone = parts_of(path, 70, Dialect(), tmp_path / "alone")
    monkeypatch.setattr(counting_ahead, "LEAST", 0)
    number, count = [0], counting_ahead._count

    def dies(file: int, at: int, dialect: Dialect) -> tuple[int, int, int, bool, bool]:
        number[0] += 1
        if number[0] > when:
            os.kill(os.getpid(), signal.SIGKILL)
        return count(file, at, dialect)

    monkeypatch.setattr(counting_ahead, "_count", dies)
    assert parts_of(path, 70, Dialect(), tmp_path / "p") == alone and len(alone) == 6


def test_where_no_process_can_be_started_all_is_counted_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "no more processes")

    (tmp_path / "data.csv").write_bytes(CONTENT)
    monkeypatch.setattr(os, "fork", refused)
    assert len(parts_of(tmp_path / "data.csv", 100, Dialect(), tmp_path / "p")) == 4


def test_an_interruption_at_any_piece_leaves_no_part_and_no_process(tmp_path: Path) -> None:
    path, pieces = tmp_path / "data.csv", list[int]()
    path.write_bytes(CONTENT[:4000])
    split_here(LocalFile(path, pieces.append), Cut(rows=10), tmp_path / "all", "o.csv", Dialect())
    assert len(pieces) > 6
    for last in range(1, len(pieces) + 1):
        seen: list[int] = []

        def stop(size: int, seen: list[int] = seen, last: int = last) -> None:
            seen.append(size)
            if len(seen) == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            split_here(LocalFile(path, stop), Cut(rows=10), tmp_path / "p", "o.csv", Dialect())
        assert list((tmp_path / "p").iterdir()) == []


def test_a_wrong_count_for_other_bytes_is_not_taken(tmp_path: Path) -> None:
    message = counting_ahead._COUNTED.pack(0, 0, 5, 99, False, False)
    (tmp_path / "found").write_bytes(message)
    with (tmp_path / "found").open("rb") as found:
        ahead = Ahead(0, found)
        reads = iter([b"1,2\n3,4\n", b""])
        (piece,) = [ahead.count(each, Dialect(), False) for each in ahead.segments(b"", lambda _: next(reads), LINES)]
    assert piece == (2, False)


def test_small_files_and_lone_processors_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.csv").write_bytes(CONTENT)
    begin = partial(count_ahead, tmp_path / "x.csv", 0, LINES)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with begin() as ahead:
        assert ahead is None
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(counting_ahead, "LEAST", len(CONTENT) + 1)
    with begin() as ahead:
        assert ahead is None
