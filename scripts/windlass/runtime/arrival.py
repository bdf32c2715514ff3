"""Whether a file that arrives is what its ending says; only its first and last bytes are looked at."""

import json
from collections.abc import Callable
from pathlib import Path, PurePath

from .errors import RuntimeStop

_KNOWN = {
    "gzip": b"\x1f\x8b",
    "zstd": b"\x28\xb5\x2f\xfd",
    "Parquet": b"PAR1",
    "a zip archive (or Excel)": b"PK\x03\x04",
    "UTF-16 text": b"\xff\xfe",
    "UTF-16 text (big-endian)": b"\xfe\xff",
}
_WANTED = {".gz": "gzip", ".zst": "zstd", ".parquet": "Parquet"}
_TEXTS = (".csv", ".json", ".jsonl", ".txt", ".sql")
_LONGEST = max(map(len, _KNOWN.values()))
_LINE = 1024 * 1024


Read = Callable[[int, int], bytes]
"""The bytes of a file from a place on, at most so many."""


def check_arrived(port: str, path: Path) -> None:
    """RuntimeStop when the input is plainly something else than its name says; unknown endings may hold anything.

    An empty file is left to who reads it. CSV may be in any encoding that has ASCII's characters.
    """
    with path.open("rb") as file:

        def read(begin: int, count: int) -> bytes:
            file.seek(begin)
            return file.read(count)

        check_pieces(port, path.name, path.stat().st_size, read)


def check_pieces(port: str, name: str, size: int, read: Read) -> None:
    """The same for a file of `size` bytes that lies elsewhere; only what the name makes necessary is read."""
    if trouble := _trouble(PurePath(name).suffix, size, read):
        raise RuntimeStop(f"input {port!r}: {name} {trouble}")


def _trouble(ending: str, size: int, read: Read) -> str | None:
    wanted = _WANTED.get(ending)
    if not size or not (wanted or ending in _TEXTS) or not (begin := read(0, _LONGEST)):
        return None
    if wanted:
        if not begin.startswith(_KNOWN[wanted]):
            return f"is not {wanted}, as its ending says"
        is_cut = ending == ".parquet" and read(max(size - 4, 0), 4) != b"PAR1"
        return "is cut off: Parquet ends with PAR1" if is_cut else None
    found = next((name for name, mark in _KNOWN.items() if begin.startswith(mark)), None)
    if found:
        return f"is {found} inside"
    return _json_trouble(read(0, _LINE)) if ending == ".jsonl" else None


def _json_trouble(begin: bytes) -> str | None:
    line, end, _ = begin.partition(b"\n")
    if not end and len(begin) == _LINE:
        return None
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return "has a first line that is not JSON; JSON lines have one value in each line"
    return None
