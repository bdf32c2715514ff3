"""Cutting a CSV file of 1 GB from S3 to S3, as `split_file` does, against passing its bytes on uncut."""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.landscape import BUCKET, Landscape
from bench.report import figure, table, write_part
from bench.splitting import ROUNDS, ROWS, SIZE, Ran, build, run

_SETUP = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from windlass.runtime.csv_dialect import dialect_of
from windlass.runtime.csv_text import cut_of
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage
from windlass.runtime.task_files import TaskFiles
from windlass.runtime.task_streams import split_input
BUCKET, SERVER, FILE = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
storage = Storage(SERVER)
"""
_CUT = """
instance = SimpleNamespace(dag_id="bench", task_id="a.b", run_id="run", try_number=1, map_index=-1)
instance.xcom_push = lambda key, value: None
settings = Settings("dev", "dev", BUCKET, BUCKET, SERVER, "local", {}, {}, {})
files = TaskFiles(Path("."), settings, storage, SimpleNamespace(outputs={"parts": "table.csv"}), instance)
kept = split_input(files, FILE, "table.csv", cut_of("bench", ROWS, None, None), dialect_of(None, None, None), 1024)
Path("kept.json").write_text(json.dumps(kept))
"""
_UNCUT = """
with storage.reader(BUCKET, FILE["key"], FILE["sha256"]) as source, storage.writer(BUCKET, "dev/passed.csv") as out:
    while block := source.read(1 << 20):
        out.write(block)
"""


def measure(land: Landscape, rounds: int = ROUNDS) -> None:
    """Measures and writes the part of the page; 1 GB comes and goes below TMPDIR, 3 GB in the S3 server's memory."""
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "table.csv"
        for quoted in (False, True):
            build(path, SIZE, quoted=quoted)
            rows += _rows("text in quotes" if quoted else "no quotes", _split(land, path, rounds))
    head = ("file", "what", "seconds, median (range)", "CPU seconds", "peak memory")
    write_part(
        "s3_splitting",
        f"""The same files in an S3 server, a process of this machine that takes a processor for itself; {rounds} rounds
in turns. Peak memory is that of Python with boto3, about 50 MB before the first byte, and of what is on its way.
Put together, the parts are the same bytes.

{table(head, rows)}""",
    )


def _rows(kind: str, found: dict[str, list[Ran]]) -> Iterator[tuple[object, ...]]:
    for name, ran in found.items():
        seconds, cpu = figure([one.seconds for one in ran]), figure([one.cpu for one in ran])
        yield kind, name, seconds, cpu, f"{max(one.memory for one in ran):,.0f} MB"


def _split(land: Landscape, path: Path, rounds: int) -> dict[str, list[Ran]]:
    """What cutting `path`, kept in S3 first, took, and what passing it on took; the parts are looked at once."""
    from windlass.runtime.storage import Storage

    storage = Storage(land.server)
    kept = storage.keep(BUCKET, "dev/table.csv", path)
    arguments = (BUCKET, land.server, json.dumps(kept))
    cut, passed = _SETUP + _CUT.replace("ROWS", str(ROWS)), _SETUP + _UNCUT
    found: dict[str, list[Ran]] = {"`split_file`, from S3 to S3": [], "the same bytes, passed on uncut": []}
    for _ in range(rounds):
        for name, script in zip(found, (cut, passed), strict=True):
            found[name].append(run([sys.executable, "-c", script, *arguments], path.parent))
    _compare(storage, json.loads((path.parent / "kept.json").read_text()), kept)
    return found


def _compare(storage: Any, parts: list[dict[str, Any]], whole: dict[str, Any]) -> None:
    """The parts without their headers, but for the first one's, must be the file."""
    digest, header = hashlib.sha256(), b""
    for part in parts:
        with storage.reader(BUCKET, part["key"], part["sha256"]) as source:
            first = source.read(1 << 20)
            if not header:
                header = first.partition(b"\n")[0] + b"\n"
                digest.update(header)
            digest.update(first.removeprefix(header))
            while block := source.read(1 << 20):
                digest.update(block)
    if digest.hexdigest() != whole["sha256"]:
        raise SystemExit("the parts in S3 are not the file")
