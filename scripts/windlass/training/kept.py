"""The versions kept in the model bucket: found again by name, written so that a crash leaves none half done."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from windlass.spec.model import ModelVersion, StoredFile, model_key, read_version
from windlass.spec.store import Conflict, Missing, Store, holds


def find_version(store: Store, prefix: str, name: str, version: str) -> ModelVersion | None:
    """The version as it was kept, or None."""
    key = model_key(prefix, name, version)
    try:
        return read_version(store.get(key).content, key)
    except Missing:
        return None


def keep_files(store: Store, prefix: str, name: str, version: str, files: Mapping[str, Path]) -> dict[str, StoredFile]:
    """Puts the files of a version, whatever their size, under keys made of their content.

    So two trainers never mix theirs; what an interrupted training left there is looked at before it is taken for right.
    """
    kept = {}
    for filename, path in sorted(files.items()):
        with path.open("rb") as file:
            sha256, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
            relative = f"files/{sha256[:16]}/{filename}"
            key = f"{prefix}/{name}/{version}/{relative}"
            if not holds(store, key, sha256, size):
                store.put_file(key, file, sha256=sha256, size=size)
        kept[filename] = StoredFile(key=relative, sha256=sha256, size=size)
    return kept


def keep_version(store: Store, prefix: str, version: ModelVersion) -> ModelVersion:
    """Writes model.json, last of all; when somebody was faster with the same inputs, theirs is the version."""
    key = model_key(prefix, version.model, version.version)
    try:
        store.put(key, version.to_json(), if_absent=True)
    except Conflict:
        return find_version(store, prefix, version.model, version.version) or version
    return version
