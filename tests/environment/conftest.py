"""An environment out of text, what it declares once its variables are filled in, and a world to apply it to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.environment.fake_airflow import FakeAirflow
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.environment.apply import Environs
from windlass.delivery.environment.owned import Owned, load_owned
from windlass.delivery.environment.wanted import wanted_objects
from windlass.spec.airflow_object import Key, Wanted
from windlass.spec.document import parse_document
from windlass.spec.environment import Environment, read_environment

S3 = "s3: {code: c, models: m, data: d}\n"


def environment(text: str) -> Environment:
    """The environment `dev` with the sections in `text`."""
    document = parse_document("environments/dev.yml", (S3 + text).encode())
    found = read_environment("dev", {"dev": document})
    assert found is not None, [str(problem) for problem in document.problems]
    return found


def problems(text: str) -> list[str]:
    """What is wrong with the sections in `text`."""
    document = parse_document("environments/dev.yml", (S3 + text).encode())
    assert read_environment("dev", {"dev": document}) is None
    return [str(problem) for problem in document.problems]


def declared(text: str, variables: Mapping[str, str] | None = None) -> list[Wanted]:
    """What the sections in `text` want."""
    return wanted_objects(environment(text), variables or {})


def key(path: str) -> Key:
    kind, _, name = path.partition("/")
    return Key(kind, name)


@dataclass
class World:
    """One environment: its record in memory and its Airflow."""

    store: MemoryStore = field(default_factory=MemoryStore)
    airflow: FakeAirflow = field(default_factory=FakeAirflow)

    @property
    def environs(self) -> Environs:
        return Environs("dev", "dev", self.store, self.airflow)

    @property
    def owned(self) -> Owned:
        return load_owned(self.store, "dev").owned
