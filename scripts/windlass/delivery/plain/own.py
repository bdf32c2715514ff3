"""Reads what lies below `dags/` of a plain environment, and keeps the lists of windlass's own files there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from windlass.delivery.place import Place
from windlass.delivery.plain.plan import There
from windlass.delivery.release.archive import digest_of
from windlass.delivery.side_by_side import side_by_side
from windlass.spec.layout import ENVIRONMENT, OwnFiles, dags_key, list_key, read_own, scope
from windlass.spec.store import Listed, Missing


@dataclass(frozen=True)
class OwnList:
    """The list of one owner as it is kept: its etag is None where there is none yet."""

    files: OwnFiles
    etag: str | None


def load_own(place: Place, owner: str) -> OwnList:
    """The list of `owner`; an empty one where nothing was ever laid out."""
    key = list_key(place.prefix, owner)
    try:
        found = place.code.get(key)
    except Missing:
        return OwnList(OwnFiles(), None)
    return OwnList(read_own(found.content, owner, key), found.etag)


def save_own(place: Place, owner: str, files: OwnFiles, before: OwnList) -> OwnList:
    """Writes the list over exactly the one `before`; Conflict when somebody else wrote it meanwhile."""
    content, key = files.to_json(), list_key(place.prefix, owner)
    return OwnList(files, place.code.put(key, content, if_match=before.etag, if_absent=before.etag is None))


def list_times(place: Place) -> dict[str, datetime]:
    """Every owner that has a list, and when that was written last."""
    names = re.compile(re.escape(list_key(place.prefix)) + rf"({ENVIRONMENT}|[a-z][a-z0-9_]*)\.json")
    listing = [(names.fullmatch(one.key), one.modified) for one in place.code.list_objects(list_key(place.prefix))]
    return {match[1]: modified for match, modified in listing if match}


def look(place: Place, owner: str, own: OwnFiles, since: datetime | None) -> dict[str, There]:
    """What lies in the owner's folder, by path.

    A file that is on the list with its etag and was not written since the list was is as the list says: it costs no
    request of its own. (S3 shows whole seconds: a foreign hand in the very second of the list is found by its etag only
    when the file is written the next time.) Of a foreign file nothing but its path is known.
    """
    found = list_files(place, owner)
    ours = own.files.keys() | own.adding.keys()
    there = {path: There() for path in found.keys() - ours}
    doubtful = []
    for path in sorted(found.keys() & ours):
        if path in own.etags and since is not None and found[path].modified <= since:
            there[path] = There(own.etags[path], own.files[path])
        else:
            doubtful.append(path)
    looks = side_by_side(lambda path: _ask(place, path, own), doubtful)
    return there | {path: file for path, file in zip(doubtful, looks, strict=True) if file is not None}


def list_files(place: Place, owner: str) -> Mapping[str, Listed]:
    """The files in the owner's folder by their path below `dags/`; what a console makes as a folder is no file."""
    root = dags_key(place.prefix)
    listing = place.code.list_objects(root + scope(owner))
    return {listed.key.removeprefix(root): listed for listed in listing if not listed.key.endswith("/")}


def _ask(place: Place, path: str, own: OwnFiles) -> There | None:
    etag = own.etags.get(path)
    try:
        found = place.code.get_if_changed(dags_key(place.prefix, path), etag)
    except Missing:
        return None
    return There(etag, own.files[path]) if found is None else There(found.etag, digest_of(found.content))
