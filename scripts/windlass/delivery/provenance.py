"""Where a release came from: one immutable record for each commit that built it."""

import json

from pydantic import ValidationError

from windlass.delivery.place import Place
from windlass.spec.errors import DeliveryError
from windlass.spec.release import Provenance, provenance_key
from windlass.spec.store import Conflict


def keep_provenance(place: Place, provenance: Provenance) -> bool:
    """Writes the record unless this commit already has one for this release; says whether it was written."""
    key = provenance_key(place.prefix, provenance.project, provenance.release, provenance.commit)
    content = json.dumps(provenance.model_dump(mode="json"), sort_keys=True, indent=1) + "\n"
    try:
        place.code.put(key, content.encode(), if_absent=True)
    except Conflict:
        return False
    return True


def list_provenance(place: Place, project: str, *, digest: str = "", commit: str = "") -> list[Provenance]:
    """The records of `project` whose digest and commit begin as given, oldest first."""
    root = f"{place.prefix}/provenance/{project}/"
    found: list[Provenance] = []
    for key in place.code.list(root + digest):
        release, _, file = key.removeprefix(root).partition("/")
        if file.endswith(".json") and file.startswith(commit):
            record = _read(key, place.code.get(key).content)
            if (record.release, f"{record.commit}.json") != (release, file) or record.project != project:
                raise DeliveryError(f"{key} was altered: it is about release {record.release[:12]}")
            found.append(record)
    return sorted(found, key=lambda record: record.built_at)


def _read(key: str, content: bytes) -> Provenance:
    try:
        return Provenance.model_validate_json(content)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        raise DeliveryError(f"{key} cannot be read: {'.'.join(map(str, detail['loc']))}: {detail['msg']}") from error
