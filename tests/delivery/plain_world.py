"""A stage whose releases are laid out as files, and an Airflow that fetches them only when it is asked to parse."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

from tests.delivery.conftest import World
from tests.fakes.airflow_reports import FakeAirflow
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.environment.settings import environment_json
from windlass.delivery.place import Place
from windlass.delivery.release.archive import Archive, digest_of, read_archive
from windlass.spec.airflow import DagReport, ImportProblem
from windlass.spec.layout import ENVIRONMENT, is_dag, list_key, read_own

DAGS = "stage/dags/"


@dataclass
class PlainWorld(World):
    """`foreign` files lie in stage and are not windlass's."""

    foreign: dict[str, bytes] = field(default_factory=dict)
    plain: bool = True

    def place(self, name: str) -> Place:
        return replace(super().place(name), plain=self.plain and name != "dev")

    def copy(self) -> "PlainWorld":
        """The same world with a store of its own."""
        store = MemoryStore(objects=dict(self.store.objects), written=dict(self.store.written))
        return PlainWorld(store=store, foreign=dict(self.foreign))

    def put_foreign(self, path: str, content: bytes = b"not yours") -> None:
        self.foreign[path] = content
        self.store.objects[DAGS + path] = content
        self.store.written[DAGS + path] = datetime.now(UTC)

    def files(self) -> dict[str, bytes]:
        """What lies below dags/, but for foreign files."""
        found = {key.removeprefix(DAGS): content for key, content in self.store.objects.items() if key.startswith(DAGS)}
        return {path: content for path, content in found.items() if path not in self.foreign}

    def wanted(self) -> dict[str, bytes]:
        """What should lie there by what is live."""
        state = self.live()
        files = {"environment.json": environment_json(state.environment)}
        for project, live in state.projects.items():
            content = self.store.objects[f"stage/releases/{project}/{live.release}.tar.gz"]
            release = read_archive(project, live.release, content)
            files |= {f"{project}/{path}": text for path, text in release.files.items()}
        return files

    def require_laid_out(self, where: str = "") -> None:
        """Exactly the wanted files lie there, the lists say so, and foreign files are as they were."""
        assert self.files() == self.wanted(), where
        self.require_unharmed(where)
        for owner in (ENVIRONMENT, *self.live().projects):
            own = read_own(self.store.objects[list_key("stage", owner)], owner, owner)
            assert not own.under_way, where
            assert own.files == {
                path: digest_of(content)
                for path, content in self.wanted().items()
                if path.startswith(f"{owner}/") or (owner, path) == (ENVIRONMENT, "environment.json")
            }, where

    def require_unharmed(self, where: str = "") -> None:
        """Every foreign file is as it was and on no list; every other one is windlass's by its list."""
        for path, content in self.foreign.items():
            assert self.store.objects.get(DAGS + path) == content, f"{where}: foreign {path}"
        lists = [
            read_own(content, key.removeprefix("stage/plain/").removesuffix(".json"), key)
            for key, content in self.store.objects.items()
            if key.startswith("stage/plain/")
        ]
        for path, content in self.foreign.items():
            for own in lists:
                assert path not in own.files, f"{where}: foreign {path} became own"
                assert digest_of(content) not in own.adding.get(path, []), f"{where}: foreign {path} may become own"
        for path, content in self.files().items():
            is_own = any(path in own.files or digest_of(content) in own.adding.get(path, []) for own in lists)
            assert is_own, f"{where}: own {path} became foreign"


def plain_files(project: str, archive: Archive) -> dict[str, bytes]:
    """The files of a release as they are laid out."""
    files = read_archive(project, archive.digest, archive.content).files
    return {f"{project}/{path}": content for path, content in files.items()}


class Killed(BaseException):
    """The process ended here."""


@contextmanager
def ended(store: MemoryStore, moment: str, point: int) -> Iterator[None]:
    """The process ends at the call number `point`: neither that nor any later one is carried out (or answered)."""
    calls = count()

    def end(call: str) -> None:
        if (number := next(calls)) > point or (number == point and moment == "before"):
            raise Killed(call)

    def lose(call: str) -> None:
        if moment == "after" and next(answers) >= point:
            raise Killed(call)

    answers = count()
    store.before, store.after = end, lose
    try:
        yield
    finally:
        store.before = store.after = lambda call: None


@dataclass
class PlainAirflow(FakeAirflow):
    """The stock bundle: files are fetched when something is asked for, and only what was asked for is parsed again.

    `fetches` may be switched off; files that hold one of `broken` cannot be imported.
    """

    store: MemoryStore = field(default_factory=MemoryStore)
    fetches: bool = True
    broken: set[bytes] = field(default_factory=set)
    disk: dict[str, bytes] = field(default_factory=dict)
    parsed: dict[str, str] = field(default_factory=dict)
    shown: dict[str, bytes] = field(default_factory=dict)

    def source(self, dag_id: str) -> str:
        return self._answer("source", lambda: self.shown[self._path(dag_id)].decode())

    def ask_to_parse(self, token: str) -> None:
        super().ask_to_parse(token)
        self.parse(self._path(token))

    def parse(self, *paths: str) -> None:
        """Fetches, and parses `paths` and what is new."""
        before = self.disk
        if self.fetches:
            found = {key: content for key, content in self.store.objects.items() if key.startswith(DAGS)}
            self.disk = {key.removeprefix(DAGS): content for key, content in found.items()}
        for path, content in self.disk.items():
            if is_dag(path) and (path in paths or before.get(path) != content):
                self.parsed[path] = datetime.now(UTC).isoformat()
                self.shown[path] = content

    def _dags(self) -> list[DagReport]:
        if not self.disk:
            self.parse()
        known = {report.dag_id: report.file for report in self.reports}
        alive, self.problems = {}, []
        for path in sorted(filter(is_dag, self.disk)):
            dag_id = path.rpartition("/")[2].removesuffix(".py")
            if any(word in self.shown[path] for word in self.broken):
                self.problems.append(ImportProblem(path, self.parsed[path], "KeyError: 'x'"))
            else:
                alive[dag_id] = DagReport(dag_id, None, False, path, dag_id, parsed=self.parsed[path])
        gone = [DagReport(one, None, True, known[one], one) for one in sorted(known.keys() - alive.keys())]
        self.reports = [*alive.values(), *gone]
        return super()._dags()

    def _path(self, dag_id: str) -> str:
        return next(report.file for report in self.reports if report.dag_id == dag_id)
