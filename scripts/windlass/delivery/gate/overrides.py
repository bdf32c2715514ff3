"""Keeps each person's word that one release may pass what can be overridden; nothing of it is ever changed."""

import hashlib
import json
from contextlib import suppress

from windlass.delivery.place import Place
from windlass.spec.decision import override_key
from windlass.spec.errors import DeliveryError
from windlass.spec.evidence import Override
from windlass.spec.store import Conflict
from windlass.spec.stored import content_of, read_stored


def keep_override(place: Place, override: Override) -> str:
    """Writes the record; its key."""
    content = (json.dumps(content_of(override), sort_keys=True, indent=1) + "\n").encode()
    name = hashlib.sha256(content).hexdigest()
    key = override_key(place.prefix, override.project, override.release, name)
    with suppress(Conflict):  # the same bytes: an answer that was lost
        place.code.put(key, content, if_absent=True)
    return key


def load_overrides(place: Place, project: str, release: str) -> list[Override]:
    """All records about the release in the environment, oldest first; one that is damaged is a DeliveryError."""
    found: list[Override] = []
    for key in place.code.list(override_key(place.prefix, project, release)):
        content = place.code.get(key).content
        if not key.endswith(f"/{hashlib.sha256(content).hexdigest()}.json"):
            raise DeliveryError(f"{key} was altered: its bytes have another SHA-256 than its name says")
        found.append(read_stored(Override, content, f"{key} is no override"))
    return sorted(found, key=lambda one: (one.at, one.person))
