"""Releases to measure with: any number of files of a given size that do not shrink much."""

import base64
import hashlib
import json
from pathlib import Path

from windlass.delivery.place import Place
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.perform import Author, perform
from windlass.delivery.promotion.survey import deciding_promotion
from windlass.delivery.release.archive import Archive, build_archive, read_archive
from windlass.delivery.release.publish import publish
from windlass.spec.environment import Buckets, RuntimeSettings
from windlass.spec.release import Provenance

PROJECT = "bench"
DAG = '''"""One of many. An airflow dag."""

from datetime import datetime

from airflow.sdk import DAG, task

with DAG(dag_id="{dag_id}", schedule=None, start_date=datetime(2026, 1, 1), tags=["{tag}"]):

    @task
    def work():
        return "{tag}"

    work()
'''


def filler(seed: str, size: int) -> str:
    """`size` characters that look random, the same for the same seed."""
    raw = hashlib.shake_256(seed.encode()).digest(size * 3 // 4 + 3)
    return base64.b64encode(raw).decode()[:size]


def project_files(dags: int, others: int, size: int, changed: str = "") -> dict[str, bytes]:
    """A release of `dags` DAGs and `others` other files of `size` bytes; `changed` is what is new in the first file."""
    texts: dict[str, str] = {}
    for number in range(dags):
        dag_id = f"dag_{number:05}"
        text = DAG.format(dag_id=dag_id, tag=changed if number == 0 and changed else "same")
        texts[f"dags/{dag_id}.py"] = text + "# " + filler(dag_id, max(0, size - len(text) - 3)) + "\n"
    for number in range(others):
        seed = f"{number}{changed if number == 0 else ''}"
        texts[f"files/part_{number:05}.sql"] = filler(seed, size)
    entries = {
        Path(path).stem: {"path": path, "source": hashlib.sha256(text.encode()).hexdigest()}
        for path, text in texts.items()
        if path.startswith("dags/")
    }
    manifest = {"format": 1, "project": PROJECT, "pipelines": entries, "models": {}}
    texts |= {"__init__.py": "", ".airflowignore": "files/\n", "manifest.json": json.dumps(manifest, sort_keys=True)}
    return {path: text.encode() for path, text in texts.items()}


def deliver(place: Place, bucket: str, files: dict[str, bytes], commit: str) -> Archive:
    """Publishes the files as a release and makes it live at `place`, as `windlass release` and `promote` do."""
    archive = build_archive(PROJECT, files)
    record = Provenance(
        project=PROJECT, release=archive.digest, commit=commit, built_at="2026-01-01T00:00:00Z", tool_version="0"
    )
    publish(place, archive, record)
    settings = RuntimeSettings(
        name=place.name, prefix=place.prefix, s3=Buckets(code=bucket, models=bucket, data=bucket)
    )
    release = read_archive(PROJECT, archive.digest, archive.content)
    perform(deciding_promotion(place, place, settings, release, Origin(commit)), place, place, Author())
    return archive
