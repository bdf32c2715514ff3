"""What windlass keeps below `dags/` of a plain environment, for each project: the list by which it knows its own files.

Only a file on the list is ever overwritten or deleted. Each digest is of the content that windlass wrote, or is about
to write, under that path.
"""

import json
import re
from collections.abc import Mapping
from typing import Literal

from windlass.spec.errors import DeliveryError
from windlass.spec.release import Digest
from windlass.spec.schema import Noun
from windlass.spec.stored import content_of, read_stored

ENVIRONMENT = "_environment"
"""The owner of `environment.json`: no project has a name that begins with `_`."""
SETTINGS = "environment.json"
_DAG = re.compile(r"[^/]+/dags/[^/]+\.py")


class OwnFiles(Noun):
    """The files of one project, by their path below `dags/`.

    `files` are its own for certain. One without an etag is being overwritten or deleted: what it holds is open.
    `adding` are paths that it had not before: a file there is its own only with one of these digests.
    `release` is what is laid out whole: null while a layout is `under_way` (or was left half), and when there is none.
    """

    format: Literal[1] = 1
    release: Digest | None = None
    under_way: bool = False
    files: dict[str, Digest] = {}
    etags: dict[str, str] = {}
    adding: dict[str, list[Digest]] = {}

    def to_json(self) -> bytes:
        """The canonical bytes: equal lists have equal bytes."""
        return (json.dumps(content_of(self), sort_keys=True, indent=1) + "\n").encode()


def dags_key(prefix: str, path: str = "") -> str:
    """Where a file of the layout is kept in the code bucket."""
    return f"{prefix}/dags/{path}"


def list_key(prefix: str, owner: str = "") -> str:
    """Where the list of an owner is kept; without one, what all lists begin with."""
    return f"{prefix}/plain/{owner}.json" if owner else f"{prefix}/plain/"


def scope(owner: str) -> str:
    """What the paths of an owner begin with."""
    return SETTINGS if owner == ENVIRONMENT else f"{owner}/"


def is_dag(path: str) -> bool:
    """Whether the file at `path` below `dags/` is a DAG file, and not something that DAG files need."""
    return _DAG.fullmatch(path) is not None and not path.endswith("/__init__.py")


def read_own(content: bytes, owner: str, where: str) -> OwnFiles:
    """The list in `content`; DeliveryError when it is none, or names a file that cannot be the owner's."""
    own = read_stored(OwnFiles, content, f"{where} is not a list that this windlass can read")
    paths: Mapping[str, object] = {**own.files, **own.adding, **own.etags}
    for path in paths:
        inside = path == SETTINGS if owner == ENVIRONMENT else path.startswith(scope(owner))
        if not inside or any(part in ("", ".", "..") for part in path.split("/")):
            raise DeliveryError(f"{where} was altered: it names {path!r}, which cannot be a file of {owner}")
    return own
