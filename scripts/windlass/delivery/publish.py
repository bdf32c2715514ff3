"""Publishes a release in the first environment: the archive first, then the record of where it came from."""

from windlass.delivery.archive import Archive, digest_of
from windlass.delivery.place import Place
from windlass.delivery.provenance import keep_provenance
from windlass.spec.release import Provenance, release_key
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
