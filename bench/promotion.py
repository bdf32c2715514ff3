"""A promotion of which one file changed, against `aws s3 sync`: whole commands, requests and seconds."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench.landscape import BUCKET, Landscape
from bench.releases import PROJECT, deliver, project_files
from bench.report import figure, ratio, table, write_part

COUNTS, SIZE, ROUNDS, WAIT = (10, 1_000, 10_000), 300, 5, 20


def measure(land: Landscape, rounds: int = ROUNDS) -> None:
    """Measures and writes the part of the page."""
    write_environments(land, "files")
    rows: list[tuple[object, ...]] = []
    for count in COUNTS:
        folder = _seed_folder(land, count)
        ours: list[tuple[int, float]] = []
        theirs: list[tuple[int, float]] = []
        windlass(land, "files", "promote", "--to", "stage", "--no-verify", "--release", _release(land, count, "first"))
        for number in range(rounds):
            digest = _release(land, count, str(number))
            promote = partial(windlass, land, "files", "promote", "--to", "stage", "--no-verify", "--release", digest)
            ours.append(timed(land, promote))
            (folder / "part_00000.sql").write_text(f"{number} {time.time_ns()}")
            theirs.append(timed(land, partial(_sync, land, folder, count)))
        for kind, found in (("windlass promote", ours), ("aws s3 sync", theirs)):
            requests, seconds = zip(*found, strict=True)
            faster = ratio([one[1] for one in ours], seconds) if found is not ours else "1"
            rows.append((f"{count:,}", kind, figure(requests, ""), figure(seconds), faster))
    head = ("files", "command", "requests", "seconds, median (range)", "times as long")
    sync = subprocess.run(["aws", "--version"], capture_output=True, text=True, check=True).stdout.split()[0]
    write_part(
        "promotion",
        f"""{WAIT} ms added to each request; whole commands, their start included; {rounds} rounds for each number of
files of {SIZE} bytes, of which one is new. `windlass promote --no-verify` copies from one environment to the next and
keeps a record of it; `aws s3 sync --delete` ({sync}, its defaults otherwise) copies from a local folder.

{table(head, rows)}""",
    )


def timed(land: Landscape, act: Callable[[], object]) -> tuple[int, float]:
    """The requests and the seconds that `act` takes when each request waits."""
    land.wait(WAIT)
    began = time.perf_counter()
    act()
    return land.count(), time.perf_counter() - began


def write_environments(land: Landscape, name: str) -> None:
    """dev and stage for the measurement `name`, each with a prefix of its own."""
    folder = land.scratch / name / "environments"
    folder.mkdir(parents=True)
    s3 = f"s3: {{endpoint: '{land.proxy}', code: {BUCKET}, models: {BUCKET}, data: {BUCKET}}}\n"
    (folder / "dev.yml").write_text(f"prefix: {name}-dev\n{s3}")
    (folder / "stage.yml").write_text(f"upstream: dev\nprefix: {name}-stage\n{s3}")


def windlass(land: Landscape, name: str, *arguments: str) -> None:
    """Runs the command as a CI job would, in the environments of the measurement `name`."""
    line = [str(Path(sys.executable).with_name("windlass")), *arguments, "--project", PROJECT, "--json"]
    _run(land, line, land.scratch / name)


def _release(land: Landscape, count: int, changed: str) -> str:
    """Makes a new release live in dev, which is not measured; its digest."""
    from windlass.adapters.s3 import open_bucket
    from windlass.delivery.place import Place

    store = open_bucket(BUCKET, land.server)
    commit = f"{count:020}{len(list(store.list('files-dev/releases/'))):020}"
    files = project_files(1, count - 4, SIZE, changed)
    return deliver(Place("dev", "files-dev", store, store), BUCKET, files, commit).digest


def _sync(land: Landscape, folder: Path, count: int) -> None:
    target = f"s3://{BUCKET}/sync-{count}"
    _run(land, ["aws", "s3", "sync", str(folder), target, "--delete", "--only-show-errors"], land.scratch)


def _run(land: Landscape, command: list[str], folder: Path) -> None:
    done = subprocess.run(command, env=land.variables(), cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _seed_folder(land: Landscape, count: int) -> Path:
    """As many files in a folder and, as a first sync would leave them, in S3."""
    from windlass.adapters.s3 import open_bucket

    store = open_bucket(BUCKET, land.server)
    folder = land.scratch / f"sync-{count}"
    folder.mkdir()
    contents = list(project_files(0, count, SIZE).values())[:count]
    files = {f"part_{number:05}.sql": content for number, content in enumerate(contents)}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.put(f"sync-{count}/{name}", files[name]), files))
    return folder
