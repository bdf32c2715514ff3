"""Whether a file that arrives is what its ending says; only its first and last bytes are looked at."""

import json
from pathlib import Path

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
_LINE = 1024 * 1024


def check_arrived(port: str, path: Path) -> None:
    """RuntimeStop when the input is plainly something else than its name says; unknown endings may hold anything.

    An empty file is left to who reads it. CSV may be in any encoding that has ASCII's characters.
    """
    with path.open("rb") as file:
        begin = file.read(4)
        if not begin:
            return
        trouble = _trouble(path, begin)
    if trouble:
        raise RuntimeStop(f"input {port!r}: {path.name} {trouble}")


def _trouble(path: Path, begin: bytes) -> str | None:
    ending = path.suffix
    if wanted := _WANTED.get(ending):
        if not begin.startswith(_KNOWN[wanted]):
            return f"is not {wanted}, as its ending says"
        return "is cut off: Parquet ends with PAR1" if ending == ".parquet" and _end(path) != b"PAR1" else None
    if ending not in (".csv", ".json", ".jsonl", ".txt", ".sql"):
        return None
    found = next((name for name, mark in _KNOWN.items() if begin.startswith(mark)), None)
    if found:
        return f"is {found} inside"
    return _json_trouble(path) if ending == ".jsonl" else None


def _end(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-min(4, path.stat().st_size), 2)
        return file.read()


def _json_trouble(path: Path) -> str | None:
    with path.open("rb") as file:
        line = file.readline(_LINE)
    if len(line) == _LINE:
        return None
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return "has a first line that is not JSON; JSON lines have one value in each line"
    return None
