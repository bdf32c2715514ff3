"""The versions kept in the model bucket: found again by name, written so that a crash leaves none half done."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from windlass.spec.errors import DeliveryError
from windlass.spec.model import ModelVersion, StoredFile
from windlass.spec.store import Conflict, Missing, Store


def model_json_key(prefix: str, name: str, version: str) -> str:
    """Where a version is described in the model bucket; it exists as soon as this object does."""
    return f"{prefix}/{name}/{version}/model.json"


def find_version(store: Store, prefix: str, name: str, version: str) -> ModelVersion | None:
    """The version as it was kept, or None."""
    key = model_json_key(prefix, name, version)
    try:
        return ModelVersion.model_validate_json(store.get(key).content)
    except Missing:
        return None
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in detail["loc"])
        raise DeliveryError(
            f"{key} in the model bucket does not describe a version: {place}: {detail['msg']}"
        ) from error


def keep_files(store: Store, prefix: str, name: str, version: str, files: Mapping[str, Path]) -> dict[str, StoredFile]:
    """Puts the files of a version under keys made of their content, so that two trainers never mix theirs."""
    kept = {}
    for filename, path in sorted(files.items()):
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        relative = f"files/{sha256[:16]}/{filename}"
        key = f"{prefix}/{name}/{version}/{relative}"
        if not store.exists(key):
            store.put(key, content)
        kept[filename] = StoredFile(key=relative, sha256=sha256, size=len(content))
    return kept


def keep_version(store: Store, prefix: str, version: ModelVersion) -> ModelVersion:
    """Writes model.json, last of all; when somebody was faster with the same inputs, theirs is the version."""
    key = model_json_key(prefix, version.model, version.version)
    try:
        store.put(key, version.to_json(), if_absent=True)
    except Conflict:
        return find_version(store, prefix, version.model, version.version) or version
    return version
