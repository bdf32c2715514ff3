"""What a repository's `.gitlab-ci.yml` says of windlass: which of its files it includes, and the id tokens of jobs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

_FILES = re.compile(r"/?(ci|templates)/\w+\.yml")
_COMPONENT = re.compile(r"(?P<server>[^/]+)/(?P<project>.+)/(?P<name>[\w-]+)@(?P<ref>[^@]+)")


@dataclass(frozen=True)
class Include:
    """One include of the platform; `ref` is None where none is given: GitLab then takes the default branch."""

    project: str
    ref: str | None
    file: str
    inputs: dict[str, Any] = field(default_factory=dict)

    @property
    def platform_ref(self) -> str | None:
        """Which version of the tool the jobs fetch, where the include says so."""
        return _text(self.inputs["platform_ref"]) if "platform_ref" in self.inputs else None


@dataclass(frozen=True)
class CiFile:
    """What is said in it; `audiences` are those of the id token of each job that has a WINDLASS_ID_TOKEN."""

    includes: tuple[Include, ...] = ()
    is_local: bool = False
    audiences: dict[str, list[str]] = field(default_factory=dict)
    problem: str | None = None

    @property
    def platforms(self) -> list[str]:
        """The projects that are included, each once."""
        return list(dict.fromkeys(include.project for include in self.includes))


class _Loader(yaml.SafeLoader):
    """YAML with GitLab's own tags (`!reference`) and any other: they mean nothing here."""


def _ignored(loader: Any, suffix: str, node: Any) -> None:
    return None


for _tag in ("!", "tag:"):
    _Loader.add_multi_constructor(_tag, _ignored)


def read_ci_file(text: str) -> CiFile:
    """What the text says; `problem` instead of an error where it is no YAML."""
    try:
        documents = list(yaml.load_all(text, _Loader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return CiFile(problem=".gitlab-ci.yml is no YAML")
    content = documents[-1] if documents else None
    if not isinstance(content, dict):
        return CiFile(problem=".gitlab-ci.yml holds no jobs")
    entries = list(_entries(content.get("include")))
    local = any(_FILES.fullmatch(_text(entry.get("local"))) for entry in entries)
    return CiFile(tuple(_includes(entries)), local, dict(_audiences(content)))


def _text(value: Any) -> str:
    """A single value as text; nothing for a list or a mapping, which aliases can make larger than any memory."""
    return str(value) if isinstance(value, str | int | float) else ""


def _entries(include: Any) -> Iterator[dict[str, Any]]:
    for entry in include if isinstance(include, list) else [include]:
        if isinstance(entry, dict):
            yield entry
        elif isinstance(entry, str):
            yield {"local": entry}


def _includes(entries: list[dict[str, Any]]) -> Iterator[Include]:
    for entry in entries:
        inputs = entry["inputs"] if isinstance(entry.get("inputs"), dict) else {}
        if isinstance(entry.get("project"), str):
            ref = None if entry.get("ref") is None else _text(entry["ref"])
            files = entry.get("file")
            for file in files if isinstance(files, list) else [files]:
                if _FILES.fullmatch(_text(file)):
                    yield Include(entry["project"], ref, _text(file), inputs)
        elif found := _COMPONENT.fullmatch(_text(entry.get("component"))):
            yield Include(found["project"], found["ref"], f"templates/{found['name']}.yml", inputs)


def _audiences(content: dict[Any, Any]) -> Iterator[tuple[str, list[str]]]:
    for name, job in content.items():
        tokens = job.get("id_tokens") if isinstance(job, dict) else None
        token = tokens.get("WINDLASS_ID_TOKEN") if isinstance(tokens, dict) else None
        if isinstance(token, dict):
            said = token.get("aud")
            yield _text(name), [_text(one) for one in (said if isinstance(said, list) else [said]) if one]
