"""A release: an immutable archive of a project's rendered DAGs with the code they import, and where it came from."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field

from windlass.spec.names import Word
from windlass.spec.schema import Noun

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


class Manifest(Noun):
    """`manifest.json` inside a release; pipelines by dag_id, models by name with the pinned version."""

    format: Literal[1] = 1
    project: Word
    pipelines: dict[Word, PipelineEntry]
    models: dict[Word, Version] = {}
    requires: Requires = Requires()


class Provenance(Noun):
    """Where a release came from; one object for each commit that built it. Unknown facts are null."""

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


def release_key(prefix: str, project: str, digest: str) -> str:
    """Where a release's archive is kept in the code bucket."""
    return f"{prefix}/releases/{project}/{digest}.tar.gz"


def provenance_key(prefix: str, project: str, digest: str, commit: str) -> str:
    """Where the provenance of a release built from `commit` is kept in the code bucket."""
    return f"{prefix}/provenance/{project}/{digest}/{commit}.json"
