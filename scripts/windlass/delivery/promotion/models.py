"""Trained versions in an environment's model bucket: which are there, what they measured, how they are carried over."""

from collections import Counter
from collections.abc import Callable, Mapping

from windlass.delivery.place import Place
from windlass.delivery.promotion.carry import Cargo, carry_all
from windlass.delivery.promotion.meter import Meter, amount
from windlass.delivery.release.archive import digest_of
from windlass.delivery.side_by_side import side_by_side
from windlass.spec.errors import DeliveryError
from windlass.spec.model import ModelVersion, StoredFile, model_key, read_version
from windlass.spec.release import release_key
from windlass.spec.state import ProjectState
from windlass.spec.store import Conflict, Missing


def load_version(place: Place, name: str, version: str) -> ModelVersion | None:
    """What `model.json` says of the version, or None when the environment does not have it."""
    found = load_described(place, name, version)
    return found[0] if found else None


def load_described(place: Place, name: str, version: str) -> tuple[ModelVersion, str] | None:
    """What `model.json` says of the version and the SHA-256 of its bytes, or None."""
    key = model_key(place.prefix, name, version)
    try:
        content = place.models.get(key).content
    except Missing:
        return None
    return read_version(content, key), digest_of(content)


def is_damaged(place: Place, name: str, version: str) -> bool:
    """Whether the version's model.json is there and a file that it lists is not."""
    found = load_version(place, name, version)
    return found is not None and not _has_files(place, found)


def is_whole(place: Place, version: ModelVersion) -> bool:
    """Whether all files of the version are there, as far as the store can tell without reading them: one HEAD each."""
    seen = side_by_side(lambda file: place.models.stat(_file_key(place, version, file)), version.files.values())
    return all(
        found is not None and not found.contradicts(file.sha256, file.size)
        for found, file in zip(seen, version.files.values(), strict=True)
    )


def is_there(place: Place, project: str, live: ProjectState) -> bool:
    """Whether the release and all files of the models that `live` names are in the environment."""
    versions = [load_version(place, name, version) for name, version in live.models.items()]
    models = all(version is not None and _has_files(place, version) for version in versions)
    return models and place.code.exists(release_key(place.prefix, project, live.release))


def _has_files(place: Place, version: ModelVersion) -> bool:
    """By one listing, however many there are; it tells their sizes as well."""
    folder = model_key(place.prefix, version.model, version.version).removesuffix("model.json")
    sizes = {found.key: found.size for found in place.models.list_objects(folder)}
    return all(sizes.get(folder + file.key) == file.size for file in version.files.values())


def _file_key(place: Place, version: ModelVersion, file: StoredFile) -> str:
    return model_key(place.prefix, version.model, version.version).removesuffix("model.json") + file.key


def require_trained(place: Place, versions: Mapping[str, str]) -> None:
    """DeliveryError, naming every model of `versions` that is not trained in the environment."""
    absent = [
        f"model {name!r}: version {version} is not trained in {place.name}"
        for name, version in sorted(versions.items())
        if not place.models.exists(model_key(place.prefix, name, version))
    ]
    if absent:
        raise DeliveryError("; ".join(absent) + "; run windlass train")


def copy_version(
    source: Place, target: Place, name: str, version: str, progress: Callable[[str], None] = lambda message: None
) -> None:
    """Carries a version over: its files first, each with its digest checked, and `model.json` last.

    What is there already and right stays; what is there and wrong is replaced.
    """
    described = source.models.get(model_key(source.prefix, name, version)).content
    found = read_version(described, model_key(source.prefix, name, version))
    cargo = [_cargo(source, target, found, filename) for filename in sorted(found.files)]
    total = sum(file.size for file in found.files.values())
    what = f"model {name}, version {version}"
    progress(f"copying {what}: {_files(len(cargo))}, {amount(total)}")
    try:
        ways = carry_all(source.models, target.models, cargo, Meter(what, total, progress).add)
    except DeliveryError as error:
        raise DeliveryError(f"{error}; nothing was changed in {target.name}") from error
    for way, number in sorted(Counter(ways).items()):
        progress(f"{what}: {_files(number)} {way}")
    _describe(target, found, described)


def _cargo(source: Place, target: Place, version: ModelVersion, filename: str) -> Cargo:
    file = version.files[filename]
    what = f"model {version.model!r}, version {version.version}: file {filename!r}"
    if ".." in file.key.split("/") or file.key.startswith("/"):
        raise DeliveryError(f"{what} has the key {file.key!r}, which leads out of the version's folder")
    keys = _file_key(source, version, file), _file_key(target, version, file)
    return Cargo(f"{what} in {source.name}", *keys, file.sha256, file.size)


def _describe(place: Place, version: ModelVersion, described: bytes) -> None:
    """Writes `model.json`. One that is there stays, unless it speaks of files that are not."""
    key = model_key(place.prefix, version.model, version.version)
    try:
        place.models.put(key, described, if_absent=True)
        return
    except Conflict:
        found = place.models.get(key)
    if found.content != described and not is_whole(place, read_version(found.content, key)):
        place.models.put(key, described, if_match=found.etag)


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"
