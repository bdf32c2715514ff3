"""Staging a bundle on an empty disk and looking for news: ReleaseBundle against Amazon's S3DagBundle.

`python -m bench.staging once KIND FOLDER` is the measured process. It first stages something small, so that what is
compared is the staging and not how long Python takes to import boto3.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench.landscape import BUCKET, Landscape
from bench.releases import deliver, project_files
from bench.report import figure, ratio, table, write_part

FILES, SIZE, ROUNDS, WAITS, IDLE = 400, 7_500, 5, (0, 20), 5
KINDS = ("ReleaseBundle", "S3DagBundle")


def measure(land: Landscape, rounds: int = ROUNDS) -> None:
    """Measures and writes the part of the page."""
    archive_bytes, files_bytes = _prepare(land)
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for number in range(rounds):
        for wait in WAITS:
            for kind in KINDS if number % 2 else reversed(KINDS):
                found.setdefault((kind, wait), []).append(_measured(land, kind, wait))
    rows = []
    for wait in WAITS:
        for what in ("cold", "idle"):
            for kind in KINDS:
                requests = [int(one[f"{what} requests"]) for one in found[kind, wait]]
                seconds = [one[what] for one in found[kind, wait]]
                ours = [one[what] for one in found[KINDS[0], wait]]
                faster = ratio(ours, seconds) if kind != KINDS[0] else "1"
                shown = figure(requests, "") if what == "cold" else f"{max(requests) / IDLE:g}"
                rows.append((f"{wait} ms", what, kind, shown, figure(seconds), faster))
    head = ("added to each request", "", "bundle", "requests", "seconds, median (range)", "times as long")
    text = f"""A release of {FILES} files, {files_bytes / 1e6:.1f} MB (archive: {archive_bytes / 1e6:.1f} MB).
`cold` is `initialize()` on an empty disk, `idle` is `refresh()` when nothing changed. {rounds} rounds, each bundle in a
process of its own that had staged something small before. S3DagBundle is that of
apache-airflow-providers-amazon {version("apache-airflow-providers-amazon")} with its defaults, ReleaseBundle likewise.

{table(head, rows)}"""
    write_part("staging", text)


def _prepare(land: Landscape) -> tuple[int, int]:
    """Puts the same files there in both forms; the bytes of the archive and of the files."""
    from windlass.adapters.s3 import open_bucket
    from windlass.delivery.place import Place

    store = open_bucket(BUCKET, land.server)
    files = project_files(FILES - 3, 0, SIZE)
    for prefix, content in (("staging", files), ("small", project_files(1, 0, 100))):
        archive = deliver(Place(prefix, prefix, store, store), BUCKET, content, "1" * 40)
        for path, text in content.items():
            store.put(f"plain-{prefix}/{path}", text)
        if prefix == "staging":
            sizes = len(archive.content), sum(map(len, files.values()))
    return sizes


def _measured(land: Landscape, kind: str, wait: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=land.scratch) as folder:
        land.wait(wait)
        command = [sys.executable, "-m", "bench.staging", "once", kind, folder, land.proxy]
        variables = land.variables() | {
            "AIRFLOW_HOME": folder,
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": f"{folder}/bundles",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }
        done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _once(kind: str, proxy: str) -> dict[str, float]:
    logging.disable(logging.CRITICAL)
    land = Landscape(proxy, proxy, Path())
    small = _bundle(kind, "small")
    small.initialize()
    before, began = land.count(), time.perf_counter()
    bundle = _bundle(kind, "staging")
    bundle.initialize()
    cold, after = time.perf_counter() - began, land.count()
    began = time.perf_counter()
    for _ in range(IDLE):
        bundle.refresh()
    idle = (time.perf_counter() - began) / IDLE
    assert sum(1 for path in Path(bundle.path).resolve().glob("**/dag_*.py")) or kind == KINDS[0]
    return {"cold": cold, "idle": idle, "cold requests": after - before, "idle requests": land.count() - after}


def _bundle(kind: str, prefix: str) -> object:
    if kind == "ReleaseBundle":
        from windlass.airflow.bundle import ReleaseBundle

        return ReleaseBundle(name=prefix, bucket=BUCKET, prefix=prefix)
    from airflow.providers.amazon.aws.bundles.s3 import S3DagBundle

    return S3DagBundle(name=prefix, bucket_name=BUCKET, prefix=f"plain-{prefix}", aws_conn_id=None)


if __name__ == "__main__":
    print(json.dumps(_once(sys.argv[2], sys.argv[4])))
