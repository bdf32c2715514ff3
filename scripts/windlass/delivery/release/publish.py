"""Publishes a release in the first environment: the archive first, then the record of where it came from.

`sign_kept` signs a record that is kept already: one from before there were keys, or of a key that is retired.
"""

from collections.abc import Mapping

from windlass.delivery.history.states import load_current
from windlass.delivery.place import Place
from windlass.delivery.promotion.models import load_described
from windlass.delivery.promotion.survey import load_release
from windlass.delivery.release.archive import Archive, digest_of
from windlass.delivery.release.provenance import (
    get_again,
    keep_provenance,
    list_provenance,
    read_record,
    replace_record,
)
from windlass.delivery.release.signature import SigningKey, is_whole, sign
from windlass.spec.errors import DeliveryError
from windlass.spec.release import Provenance, provenance_key, release_key
from windlass.spec.store import Conflict


def publish(place: Place, archive: Archive, provenance: Provenance) -> bool:
    """Keeps both unless they are kept already; says whether the archive is new."""
    key = release_key(place.prefix, provenance.project, archive.digest)
    is_new = True
    try:
        place.code.put(key, archive.content, if_absent=True)
    except Conflict:
        is_new = False
        if digest_of(place.code.get(key).content) != archive.digest:
            place.code.put(key, archive.content)  # damaged where it lay: the name says what it must be
    keep_provenance(place, provenance)
    return is_new


def bound_models(place: Place, versions: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of each version's `model.json` in the environment; DeliveryError where one is not trained."""
    described = {name: load_described(place, name, version) for name, version in versions.items()}
    absent = [f"model {name!r}, version {versions[name]}" for name, found in described.items() if found is None]
    if absent:
        raise DeliveryError(f"{place.name} does not have {' and '.join(absent)}; run windlass train")
    return {name: found[1] for name, found in sorted(described.items()) if found is not None}


def kept_record(place: Place, project: str, digest: str = "", commit: str = "") -> Provenance:
    """The one record of the project whose digest and commit begin as given; without both, that of what is live."""
    if not digest and not commit:
        state = load_current(place.code, place.prefix).state
        if state is None or project not in state.projects:
            raise DeliveryError(f"nothing of {project} is live in {place.name}; give --release or --commit")
        digest, commit = state.projects[project].release, state.projects[project].commit
    found = list_provenance(place, project, digest=digest, commit=commit)
    what = " and ".join(f"{name} {value[:12]}" for name, value in (("release", digest), ("commit", commit)) if value)
    if not found:
        raise DeliveryError(f"there is no record of {project} with {what} in {place.name}")
    if len(found) > 1:
        known = ", ".join(f"{record.release[:12]} of commit {record.commit[:12]}" for record in found)
        raise DeliveryError(
            f"{what} stands for {len(found)} records of {project}: {known}; give --release and --commit"
        )
    return found[0]


def sign_kept(place: Place, found: Provenance, key: SigningKey) -> Provenance:
    """Signs the record `found` of a release where it is kept, after a look at all that it vouches for.

    DeliveryError when the archive, a model or the record is not what it was: nothing that was altered gets signed.
    """
    where = provenance_key(place.prefix, found.project, found.release, found.commit)
    there = get_again(place, where)
    record = read_record(where, there.content)
    if record.signature is not None and not is_whole(record):
        raise DeliveryError(f"{where} was altered since it was signed; run windlass release at commit {record.commit}")
    models = bound_models(place, load_release(place, record.project, record.release).manifest.models)
    if record.models and record.models != models:
        names = ", ".join(sorted(name for name in models if record.models.get(name) != models[name]))
        raise DeliveryError(f"{where} names another model.json than {place.name} has: {names or 'a model too many'}")
    signed = sign(record.model_copy(update={"models": models}), key)
    if signed.to_json() != there.content:
        replace_record(place, where, signed.to_json(), there)
    return signed
