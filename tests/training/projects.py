"""A small model repository on disk and the ends that training meets: data in a dict, a bucket in memory."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.memory_store import MemoryStore
from windlass.spec.errors import TransientError
from windlass.spec.model import Model
from windlass.training.train import Origin, Workshop

ORIGIN = Origin(commit="c" * 40, job_url="https://gitlab/job/1", at="2026-11-22T06:00:00+00:00")
TRAIN = """
import json, sys
data, factor, model, metrics = sys.argv[1:]
open(model, "w").write(open(data).read() * int(factor))
json.dump({"accuracy": float(open("accuracy.txt").read())}, open(metrics, "w"))
print("trained")
"""


@dataclass
class DictSource:
    """Objects by URI; counts what is fetched."""

    objects: dict[str, bytes]
    fetched: list[str] = field(default_factory=list)

    def fetch(self, uri: str, path: Path) -> str:
        self.fetched.append(uri)
        if uri not in self.objects:
            raise TransientError(f"{uri}: S3 does not answer")
        path.write_bytes(self.objects[uri])
        return self.digest(uri)

    def digest(self, uri: str) -> str:
        return hashlib.sha256(self.objects[uri]).hexdigest()


@dataclass
class Project:
    """The repository's folder, and all that happened in its surroundings."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    source: DictSource = field(default_factory=lambda: DictSource({"s3://data/train.csv": b"rows\n"}))
    said: list[str] = field(default_factory=list)

    @property
    def workshop(self) -> Workshop:
        return Workshop(self.source, self.store, "dev", self.said.append)

    def write(self, path: str, content: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(content)


def make_project(folder: Path, accuracy: float = 0.97) -> Project:
    """A repository whose training reports `accuracy`."""
    project = Project(folder)
    project.write("src/train.py", TRAIN)
    project.write("accuracy.txt", str(accuracy))
    project.write("score.py", "print('scores')\n")
    project.write("secrets.txt", "not part of the job\n")
    return project


def make_model(**changes: Any) -> Model:
    """The model of the repository, with `changes`."""
    document: dict[str, Any] = {
        "data": {"train": "s3://data/train.csv"},
        "code": ["src", "accuracy.txt"],
        "parameters": {"factor": 2},
        "train": {
            "docker_image": "python3-11",
            "execution_time": "20 seconds",
            "execution_script": "python src/train.py {train} {factor} {model} {metrics}",
        },
        "outputs": {"model": "model.txt", "metrics": "metrics.json"},
        "files": ["score.py"],
        "gates": {"accuracy": {"at_least": 0.95, "not_below": "live"}},
    }
    return Model.model_validate(document | changes)
