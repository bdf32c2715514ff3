"""A release: an immutable archive of a project's rendered DAGs with the code they import, and where it came from."""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from windlass.spec.names import Word
from windlass.spec.schema import Noun
from windlass.spec.signer import PublicKey
from windlass.spec.stored import content_of

DIGEST = re.compile(r"[0-9a-f]{64}")
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""The SHA-256 of an archive's bytes, in hex: the name of a release."""
Version = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class PipelineEntry(Noun):
    """One pipeline of a release: the path of its YAML and the SHA-256 of that file."""

    path: str
    source: Digest


class Requires(Noun):
    """What an environment must offer so that the release's pipelines can run, each list sorted."""

    flavors: list[str] = []
    images: list[str] = []
    connections: list[str] = []
    variables: list[str] = []
    pools: list[str] = []

    @model_serializer(mode="wrap")
    def _without_empty_later(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Keys that earlier versions cannot read are left out where they are empty."""
        return {key: value for key, value in write(self).items() if value or key not in ("variables", "pools")}


class Manifest(Noun):
    """`manifest.json` inside a release; pipelines by dag_id, models by name with the pinned version."""

    format: Literal[1] = 1
    project: Word
    pipelines: dict[Word, PipelineEntry]
    models: dict[Word, Version] = {}
    requires: Requires = Requires()


class Signature(Noun):
    """Who vouches for a record: the public key, and the Ed25519 signature in hex over the record without this."""

    key: PublicKey
    value: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class Provenance(Noun):
    """Where a release came from; one object for each commit that built it. Unknown facts are null.

    `models` binds the bytes of what was trained: the SHA-256 of each model's `model.json`, which lists its files'.
    """

    project: Word
    release: Digest
    commit: str
    tag: str | None = None
    ref: str | None = None
    merge_request: dict[str, Any] | None = None
    job_url: str | None = None
    project_url: str | None = None
    actor: str | None = None
    built_at: str
    tool_version: str
    models: dict[Word, Digest] = {}
    signature: Signature | None = None

    def to_json(self) -> bytes:
        """The canonical bytes: equal records have equal bytes, and without `signature` they are what is signed."""
        content = content_of(self)
        kept = {key: value for key, value in content.items() if value or key not in _LATER}
        return (json.dumps(kept, sort_keys=True, indent=1) + "\n").encode()


_LATER = ("models", "signature")
"""Keys that earlier versions did not write: left out where they are empty, so that old records keep their bytes.

Whatever is added to a record goes here too: else every signature made before would be broken.
"""


def release_key(prefix: str, project: str, digest: str) -> str:
    """Where a release's archive is kept in the code bucket."""
    return f"{prefix}/releases/{project}/{digest}.tar.gz"


def provenance_key(prefix: str, project: str, digest: str, commit: str) -> str:
    """Where the provenance of a release built from `commit` is kept in the code bucket."""
    return f"{prefix}/provenance/{project}/{digest}/{commit}.json"
