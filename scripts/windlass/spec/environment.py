"""An environment: where it keeps its bytes, which Airflow it is, and the settings that its pipelines run with."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from windlass.spec.airflow_settings import Connection, Name, Pool, PoolName, VariableValue
from windlass.spec.document import Document, Location
from windlass.spec.duration import Duration, parse_duration
from windlass.spec.errors import WindlassError
from windlass.spec.files import parse_file
from windlass.spec.gate import PromotionGate
from windlass.spec.jobs import SIZE, Flavor, Jobs, Toleration
from windlass.spec.names import RelativePath, Word
from windlass.spec.placeholder import PLACEHOLDER, names_in, require
from windlass.spec.problem import Problem, near
from windlass.spec.runner import Runner, require_flavors
from windlass.spec.schedule import AssetName
from windlass.spec.schema import Noun, Text, read_noun
from windlass.spec.signer import Signers

__all__ = [
    "SIZE",
    "Airflow",
    "Buckets",
    "Environment",
    "Flavor",
    "Jobs",
    "Layout",
    "Receiver",
    "RuntimeSettings",
    "Toleration",
    "Verify",
    "environment_layers",
    "environments_folder",
    "find_environment",
    "load_environments",
    "not_apart",
    "parse_environments",
    "read_environment",
    "resolve",
    "same_place",
]
_LACKS_KEYS = {"syntax", "known-environment"}
"""Rules after which keys would be called missing that may be there."""
_FOLDERS = ("environments", ".windlass/platform/environments")


class Buckets(Noun):
    """The three buckets, which may be one; `endpoint` is for stores other than AWS."""

    code: str
    models: str
    data: str
    endpoint: str | None = None


class Airflow(Noun):
    """How to reach the environment's Airflow; `bundle` is the name of the ReleaseBundle in its configuration."""

    url: str
    username: str
    password: SecretStr
    bundle: str = "windlass"

    @field_validator("password", mode="before")
    @classmethod
    def _hide(cls, value: object) -> object:
        return SecretStr(value) if isinstance(value, str) else value


Layout = Literal["release", "plain"]
"""How releases reach the environment's Airflow: whole, by the ReleaseBundle, or as files below `dags/`."""


class Verify(Noun):
    """How a promotion is verified: how long Airflow has to report the new version, and a smoke run of the DAG `run`.

    `delivers` is the path below `delivered/` of a file that must be there after the run. `on_failure` is `stay` unless
    written otherwise: an environment that changes by itself is something that its owner should have asked for.
    """

    timeout: Duration = parse_duration("5 minutes")
    run: Word | None = None
    conf: dict[str, Any] = {}
    run_timeout: Duration = parse_duration("10 minutes")
    delivers: RelativePath | None = None
    on_failure: Literal["rollback", "stay"] = "stay"

    @field_validator("delivers")
    @classmethod
    def _placeholders(cls, value: str | None) -> str | None:
        for name in re.findall(r"\{(\w*)\}", value or ""):
            if name not in ("ds", "run_id"):
                raise ValueError(f"unknown placeholder {{{name}}}; valid: {{ds}}, {{run_id}}")
        return value

    @model_validator(mode="after")
    def _needs_run(self) -> Self:
        if self.run is None and (self.delivers or self.conf):
            raise ValueError("delivers and conf belong to a smoke run; name its DAG in run")
        return self


class Receiver(Noun):
    """Who is behind a name in a pipeline's `notify`: an Airflow connection, and for a mail its addresses."""

    connection: Text
    to: list[Text] = []


class RuntimeSettings(Noun):
    """What travels in the state and is staged as `environment.json` beside the releases; it holds no secret."""

    name: Word
    prefix: str
    s3: Buckets
    jobs: Jobs = Jobs()
    flavors: dict[str, Flavor] = {}
    images: dict[str, str] = {}
    notify: dict[Word, Receiver] = {}


class Environment(Noun):
    """One `environments/<name>.yml`, laid over the file that it extends; `${NAME}` in it is still unresolved."""

    name: Word
    prefix: str = Field(pattern=r"^[a-z0-9][a-z0-9/_-]*[a-z0-9]$")
    upstream: Word | None = None
    bundle: Layout = "release"
    s3: Buckets
    airflow: Airflow | None = None
    jobs: Jobs = Jobs()
    flavors: dict[str, Flavor] = {}
    images: dict[str, str] = {}
    runners: dict[str, Runner] = {}
    notify: dict[Word, Receiver] = {}
    verify: Verify = Verify()
    variables: dict[Name, VariableValue] = {}
    connections: dict[Name, Connection] = {}
    pools: dict[PoolName, Pool] = {}
    signers: Signers = {}
    gate: PromotionGate | None = None
    assets: dict[AssetName, Text] = {}
    """Assets that no pipeline of the project produces, and who does; lint knows them from here."""

    @field_validator("gate", mode="before")
    @classmethod
    def _says_something(cls, value: object) -> object:
        if value is None:  # what is left when every line below it is commented out
            raise ValueError("an empty gate asks for nothing; write {} for one approval, or take the key out")
        return value

    @model_validator(mode="after")
    def _has_flavors_of_runners(self) -> Self:
        require_flavors(self.runners, self.flavors)
        return self

    @property
    def runtime(self) -> RuntimeSettings:
        """The part that pipelines see when they run."""
        return RuntimeSettings.model_validate(self.model_dump(include=set(RuntimeSettings.model_fields)))


def read_environment(name: str, documents: Mapping[str, Document]) -> Environment | None:
    """The environment `name` out of the files of one folder, by their stems; problems are added to its document."""
    chain = _chain(name, documents)
    merged: Any = {}
    for document in reversed(chain):
        merged = _overlay(merged, document.value if isinstance(document.value, dict) else {})
    merged.pop("extends", None)
    merged.setdefault("prefix", name)
    if any(problem.rule in _LACKS_KEYS for document in chain for problem in document.problems):
        return None
    layers = _Layers(chain[0].path, {**merged, "name": name}, layers=chain)
    environment = read_noun(layers, Environment)
    has_problems = any(document.problems for document in chain)
    chain[0].problems.extend(layers.problems)
    return None if has_problems else environment


@dataclass
class _Layers(Document):
    """An environment laid over those that it extends: a problem is in the nearest file that has the value."""

    layers: list[Document] = field(default_factory=list)

    def problem(self, location: Location, rule: str, message: str, *, at_key: bool = False) -> Problem:
        while location and not any(location in layer.values for layer in self.layers):
            location, at_key = location[:-1], True
        layer = next((layer for layer in self.layers if location in layer.values), self.layers[0])
        return layer.problem(location, rule, message, at_key=at_key)


def environment_layers(name: str, documents: Mapping[str, Document]) -> list[Document]:
    """The document `name` and those that it extends, nearest first, as far as they are there and no circle."""
    layers = [documents[name]]
    while isinstance(layers[-1].value, dict):
        parent = layers[-1].value.get("extends")
        if not isinstance(parent, str) or parent not in documents or documents[parent] in layers:
            break
        layers.append(documents[parent])
    return layers


def _chain(name: str, documents: Mapping[str, Document]) -> list[Document]:
    """The same; where the last of them extends a file that it cannot, that is a problem of it."""
    chain = environment_layers(name, documents)
    last = chain[-1]
    if isinstance(last.value, dict) and "extends" in last.value:
        parent = last.value["extends"]
        why = f"extends: {parent!r} extends this file again"
        if not isinstance(parent, str) or parent not in documents:
            why = f"extends: there is no environment file {parent!r} here{near(str(parent), documents)}"
        last.problems.append(last.problem(("extends",), "known-environment", why))
    return chain


def _overlay(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {key: _overlay(below.get(key), above[key]) if key in above else below[key] for key in {**below, **above}}
    return above


def parse_environments(folder: Path) -> dict[str, Document]:
    """Each environment file of `folder` as a document, by its stem; `roles.yml` is not one."""
    paths = [path for path in sorted(folder.glob("*.yml")) if path.stem != "roles"]
    return {path.stem: parse_file(folder.parent, str(Path(folder.name, path.name))) for path in paths}


def environments_folder(project: Path, given: str | None) -> Path | None:
    """The folder that holds the environments: `given`, else the project's own, else the fetched platform's."""
    candidates = [Path(given)] if given else [project / folder for folder in _FOLDERS]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    if given:
        raise WindlassError(f"there is no folder {given!r} with environments; correct --environments")
    return None


def load_environments(folder: Path | None) -> dict[str, Environment]:
    """All environments of `folder` by name, upstream before downstream.

    Raises WindlassError that names the first problem: `windlass lint` shows all of them.
    """
    if folder is None:
        wanted = " or ".join(f"{name}/" for name in _FOLDERS)
        raise WindlassError(f"no environments found: looked for {wanted}; give --environments or WINDLASS_ENVIRONMENTS")
    documents = parse_environments(folder)
    found: dict[str, Environment] = {}
    for name, document in documents.items():
        if name == "base":
            continue
        environment = read_environment(name, documents)
        problems = [problem for every in documents.values() for problem in every.problems]
        if environment is None:
            raise WindlassError(f"environment {name!r} cannot be read: {problems[0] if problems else document.path}")
        found[name] = environment
    for name, other, bucket in same_place(found):
        raise WindlassError(f"environments/{name}.yml: {not_apart(found[name].prefix, bucket, other)}")
    return _in_order(found)


def same_place(environments: Mapping[str, Environment]) -> Iterator[tuple[str, str, str]]:
    """Each environment that keeps its states, or its models, where an earlier one does; that one, and the bucket."""
    seen: dict[tuple[str | None, str, str], str] = {}
    for name, environment in environments.items():
        for bucket in dict.fromkeys((environment.s3.code, environment.s3.models)):
            other = seen.setdefault((environment.s3.endpoint, bucket, environment.prefix), name)
            if other != name:
                yield name, other, bucket
                break


def not_apart(prefix: str, bucket: str, other: str) -> str:
    """The sentence about the prefix of an environment whose place is that of `other`."""
    return (
        f"prefix {prefix!r} in the bucket {bucket!r} is that of {other!r} already, "
        "so a promotion to one would change both; give each a prefix of its own"
    )


def _in_order(environments: Mapping[str, Environment]) -> dict[str, Environment]:
    ordered: dict[str, Environment] = {}
    waiting = dict(environments)
    while waiting:
        ready = [name for name, item in waiting.items() if item.upstream is None or item.upstream in ordered]
        if not ready:
            lost = [name for name, item in waiting.items() if item.upstream not in environments]
            name = (lost or list(waiting))[0]
            upstream = waiting[name].upstream
            reason = (
                "leads round in a circle" if not lost else f"is no environment here{near(str(upstream), environments)}"
            )
            raise WindlassError(f"environments/{name}.yml: upstream {upstream!r} {reason}")
        for name in ready:
            ordered[name] = waiting.pop(name)
    return ordered


def find_environment(environments: Mapping[str, Environment], name: str) -> Environment:
    """The environment `name`; WindlassError names those that exist."""
    if name not in environments:
        raise WindlassError(f"there is no environment {name!r}{near(name, environments)}")
    return environments[name]


Section = TypeVar("Section", bound=BaseModel)


def resolve(section: Section, variables: Mapping[str, str], where: str) -> Section:
    """`section` with each `${NAME}` replaced from `variables`; WindlassError lists all names that are not set."""
    require(names_in(section), variables, where)

    def fill(value: Any) -> Any:
        if isinstance(value, SecretStr):
            return SecretStr(fill(value.get_secret_value()))
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda match: variables[match[1]], value)
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()}
        return value

    return type(section).model_validate({name: fill(value) for name, value in section.model_dump().items()})
