"""Where a release came from: one record for each commit that built it, which only a better one replaces.

Better is a record that is signed where the other is not, or by the key at hand; never the other way round.
"""

from windlass.delivery.place import Place
from windlass.delivery.release.signature import is_whole
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.release import Provenance, provenance_key
from windlass.spec.store import Conflict, Missing, Object
from windlass.spec.stored import read_stored


def keep_provenance(place: Place, provenance: Provenance) -> bool:
    """Writes the record unless there is one that is as good; says whether it was written."""
    key = provenance_key(place.prefix, provenance.project, provenance.release, provenance.commit)
    content = provenance.to_json()
    try:
        place.code.put(key, content, if_absent=True)
        return True
    except Conflict:
        found = get_again(place, key)
    if found.content == content or not _is_better(provenance, found, key):
        return False
    replace_record(place, key, content, found)
    return True


def get_again(place: Place, key: str) -> Object:
    """The record that was there a moment ago; TransientError when it is gone."""
    try:
        return place.code.get(key)
    except Missing as missing:
        raise TransientError(f"{key} was removed meanwhile; try again") from missing


def replace_record(place: Place, key: str, content: bytes, found: Object) -> None:
    """Puts a record in the place of exactly the one that was found; TransientError when that has changed."""
    try:
        place.code.put(key, content, if_match=found.etag)
    except Conflict as conflict:
        raise TransientError(f"{key} was written by somebody else meanwhile; try again") from conflict


def _is_better(new: Provenance, found: Object, key: str) -> bool:
    """Whether `new`, just made from the same commit, says more than what was found."""
    try:
        old = read_record(key, found.content)
    except DeliveryError:
        return True  # damaged where it lay: the name says what it must be about
    if new.signature is None and is_whole(old) and old.models != new.models:
        raise DeliveryError(
            f"{key} is signed, and a model was trained again since: windlass release needs the key "
            "(WINDLASS_SIGNING_KEY or --sign-key) to write the record anew"
        )
    if new.signature is None:
        return not is_whole(old) and (old.signature is not None or old.models != new.models)
    same_key = old.signature is not None and old.signature.key == new.signature.key
    return not (same_key and is_whole(old) and old.models == new.models)


def list_provenance(place: Place, project: str, *, digest: str = "", commit: str = "") -> list[Provenance]:
    """The records of `project` whose digest and commit begin as given, oldest first."""
    root = f"{place.prefix}/provenance/{project}/"
    found: list[Provenance] = []
    for key in place.code.list(root + digest):
        _, _, file = key.removeprefix(root).partition("/")
        if file.endswith(".json") and "/" not in file and file.startswith(commit):  # decisions of gates lie below
            found.append(read_record(key, place.code.get(key).content))
    return sorted(found, key=lambda record: record.built_at)


def read_record(key: str, content: bytes) -> Provenance:
    """The record in `content`; DeliveryError unless it is one and about what its key says."""
    record = read_stored(Provenance, content, f"{key} cannot be read")
    if not key.endswith(provenance_key("", record.project, record.release, record.commit)):
        raise DeliveryError(f"{key} was altered: it is about release {record.release[:12]}")
    return record
