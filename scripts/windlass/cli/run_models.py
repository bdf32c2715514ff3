"""Takes a model for a run on this machine from the bucket of an environment."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli import console, context
from windlass.spec.errors import DeliveryError

if TYPE_CHECKING:
    from windlass.spec.environment import Environment
    from windlass.spec.model import ModelVersion
    from windlass.spec.store import Store


def newest_model(environment: "Environment", name: str, folder: Path) -> Path:
    """The files of the version that was trained last, below the run's folder."""
    from windlass.training.kept import find_version

    store, prefix = context.store(environment, "models"), environment.prefix
    ends = [key.split("/") for key in store.list(f"{prefix}/{name}/") if key.endswith("/model.json")]
    found = [kept for end in ends if (kept := find_version(store, prefix, name, end[-2]))]
    if not found:
        raise DeliveryError(f"model {name!r} has no version in {environment.name}; run windlass train, or give --input")
    return fetch_version(store, prefix, max(found, key=lambda kept: kept.trained_at), folder)


def fetch_version(store: "Store", prefix: str, kept: "ModelVersion", folder: Path) -> Path:
    """The files of a version, each digest checked."""
    target = folder / "models" / kept.model
    for filename, file in kept.files.items():
        path, key = target / filename, f"{prefix}/{kept.model}/{kept.version}/{file.key}"
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with path.open("wb") as out:
            for piece in store.pieces(key):
                digest.update(piece)
                out.write(piece)
        if digest.hexdigest() != file.sha256:
            raise DeliveryError(f"{key} is not what was kept: its SHA-256 differs; somebody changed it")
    console.step(f"model {kept.model}: version {kept.version}, trained at {kept.trained_at}")
    return target
