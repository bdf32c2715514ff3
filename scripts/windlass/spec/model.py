"""A model: what is trained from which data by which code, how it is judged, and what a trained version is made of."""

import hashlib
import json
from collections.abc import Mapping
from math import isnan
from operator import ge, le
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from windlass.spec.document import Document
from windlass.spec.errors import DeliveryError
from windlass.spec.names import Filename, RelativePath, Word
from windlass.spec.pipeline import Job
from windlass.spec.salvage import salvage_noun
from windlass.spec.schema import Noun, Text, read_noun
from windlass.spec.stored import read_stored


class Gate(Noun):
    """What a metric must reach: fixed bounds, and bounds set by the version that is live in the target environment."""

    at_least: float | int | None = None
    at_most: float | int | None = None
    not_below: Literal["live"] | None = None
    not_above: Literal["live"] | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> "Gate":
        if not self.model_fields_set:
            raise ValueError("the gate has no bound; give at_least, at_most, not_below or not_above")
        return self


class Model(Noun):
    """One `models/<name>.yml`; the name of the file is the name of the model."""

    description: str = ""
    data: dict[Word, Text]
    code: list[RelativePath] = Field(min_length=1)
    parameters: dict[Word, str | int | float | bool] = {}
    train: Job
    outputs: dict[Word, Filename]
    files: list[RelativePath] = []
    tests: Text | None = None
    gates: dict[Word, Gate] = {}

    @field_validator("outputs")
    @classmethod
    def _has_metrics(cls, value: dict[str, str]) -> dict[str, str]:
        if not value.get("metrics", "").endswith(".json"):
            raise ValueError("a port 'metrics' is missing whose file ends in .json: one JSON object of numbers")
        return value


class StoredFile(Noun):
    """One file of a version: `key` is relative to the version's folder in the model bucket, `size` is in bytes."""

    key: str
    sha256: str
    size: int


class ModelVersion(Noun):
    """What `model.json` says: a trained version, what it was made from and how good it is."""

    model: str
    version: str
    inputs: dict[str, Any]
    metrics: dict[str, float | int]
    gates: dict[str, Gate]
    files: dict[str, StoredFile]
    commit: str | None
    job_url: str | None
    trained_at: str
    seconds: float
    tool_version: str

    def to_json(self) -> bytes:
        """The bytes of `model.json`."""
        return (json.dumps(self.model_dump(exclude_none=False), indent=2, sort_keys=True) + "\n").encode()


def model_key(prefix: str, name: str, version: str) -> str:
    """Where `model.json` of a version is kept; it is written last, so its presence means that all files are there."""
    return f"{prefix}/{name}/{version}/model.json"


def read_version(content: bytes, key: str) -> ModelVersion:
    """The version that the `model.json` at `key` describes; DeliveryError when it describes none, or another one."""
    found = read_stored(ModelVersion, content, f"{key} does not describe a version")
    if not key.endswith(model_key("", found.model, found.version)):
        raise DeliveryError(
            f"{key} is of model {found.model!r}, version {found.version}; it was put in the wrong place"
        )
    return found


def version_name(inputs: Mapping[str, Any]) -> str:
    """The name of the version that is made from `inputs`: the first 16 hex digits of the SHA-256 of their JSON."""
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def failed_gates(
    gates: Mapping[str, Gate], metrics: Mapping[str, float], live: Mapping[str, float] | None
) -> list[str]:
    """One sentence for each gate that `metrics` do not pass; `live` are the metrics of the version now live, if any."""
    failures: list[str] = []
    for name, gate in sorted(gates.items()):
        if name not in metrics:
            measured = ", ".join(sorted(metrics)) or "none"
            failures.append(f"metric {name!r} was not measured; the job wrote: {measured}")
            continue
        value = metrics[name]
        if isnan(value):
            failures.append(f"metric {name!r} is nan, which passes no gate")
            continue
        now = None if live is None else live.get(name)
        bounds = (
            (gate.at_least, ge, "below the gate's at_least"),
            (gate.at_most, le, "above the gate's at_most"),
            (now if gate.not_below else None, ge, "below the live version's"),
            (now if gate.not_above else None, le, "above the live version's"),
        )
        for bound, holds, words in bounds:
            if bound is not None and not holds(value, bound):
                failures.append(f"metric {name!r} is {value:g}, {words} {bound:g}")
    return failures


def read_model(document: Document) -> Model | None:
    """The model in `document`, or None; what does not fit is added to the document's problems."""
    return read_noun(document, Model)


def salvage_model(document: Document) -> Model | None:
    """As much of the model as can be understood; what does not fit is added to the document's problems."""
    return salvage_noun(document, Model)
