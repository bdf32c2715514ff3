"""Trained versions in an environment's model bucket: which are there, what they measured, how they are carried over."""

from collections.abc import Mapping

from windlass.delivery.archive import digest_of
from windlass.delivery.place import Place
from windlass.spec.errors import DeliveryError
from windlass.spec.model import ModelVersion, model_key, read_version
from windlass.spec.release import release_key
from windlass.spec.state import ProjectState
from windlass.spec.store import Conflict, Missing


def load_version(place: Place, name: str, version: str) -> ModelVersion | None:
    """What `model.json` says of the version, or None when the environment does not have it."""
    key = model_key(place.prefix, name, version)
    try:
        return read_version(place.models.get(key).content, key)
    except Missing:
        return None


def is_damaged(place: Place, name: str, version: str) -> bool:
    """Whether the version's model.json is there and a file that it lists is not."""
    found = load_version(place, name, version)
    return found is not None and not _has_files(place, found)


def is_there(place: Place, project: str, live: ProjectState) -> bool:
    """Whether the release and all files of the models that `live` names are in the environment."""
    versions = [load_version(place, name, version) for name, version in live.models.items()]
    models = all(version is not None and _has_files(place, version) for version in versions)
    return models and place.code.exists(release_key(place.prefix, project, live.release))


def _has_files(place: Place, version: ModelVersion) -> bool:
    folder = model_key(place.prefix, version.model, version.version).removesuffix("model.json")
    return all(place.models.exists(folder + file.key) for file in version.files.values())


def require_trained(place: Place, versions: Mapping[str, str]) -> None:
    """DeliveryError, naming every model of `versions` that is not trained in the environment."""
    absent = [
        f"model {name!r}: version {version} is not trained in {place.name}"
        for name, version in sorted(versions.items())
        if not place.models.exists(model_key(place.prefix, name, version))
    ]
    if absent:
        raise DeliveryError("; ".join(absent) + "; run windlass train")


def copy_version(source: Place, target: Place, name: str, version: str) -> None:
    """Carries a version over: its files first, each checked against its digest, and `model.json` last."""
    described = source.models.get(model_key(source.prefix, name, version))
    found = load_version(source, name, version)
    assert found is not None
    for filename, file in sorted(found.files.items()):
        key = f"{name}/{version}/{file.key}"
        if ".." in file.key.split("/") or file.key.startswith("/"):
            raise DeliveryError(f"model {name!r}, version {version}: file {filename!r} has the key {file.key!r}")
        if target.models.exists(f"{target.prefix}/{key}"):
            continue
        content = source.models.get(f"{source.prefix}/{key}").content
        if digest_of(content) != file.sha256:
            raise DeliveryError(
                f"model {name!r}, version {version}: file {filename!r} in {source.name} was altered: "
                f"its SHA-256 is not {file.sha256[:12]}...; nothing was changed in {target.name}"
            )
        target.models.put(f"{target.prefix}/{key}", content)
    try:
        target.models.put(model_key(target.prefix, name, version), described.content, if_absent=True)
    except Conflict:
        return  # somebody else carried the same version over at the same time
