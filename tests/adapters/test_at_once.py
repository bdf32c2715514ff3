"""Many promotions into one environment at once, over every Store: nothing is lost, skipped or decided on old facts."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Barrier

import pytest

from tests.delivery.conftest import settings
from tests.fakes.memory_store import MemoryStore
from tests.fakes.releases import release_files
from windlass.adapters.s3 import open_bucket
from windlass.delivery.history.ledger import read_history
from windlass.delivery.history.named_releases import check_releases
from windlass.delivery.place import Place
from windlass.delivery.plan.plan import Origin, Plan
from windlass.delivery.promotion.perform import Author, Clock, Outcome, perform
from windlass.delivery.promotion.survey import Decide, deciding_promotion
from windlass.delivery.release.archive import Archive, build_archive, digest_of, read_archive
from windlass.delivery.release.find import states
from windlass.delivery.release.publish import publish
from windlass.spec.errors import DeliveryError
from windlass.spec.model import Gate, ModelVersion, StoredFile, model_key
from windlass.spec.release import Provenance
from windlass.spec.state import State
from windlass.spec.store import Store


@dataclass
class Race:
    """Promoters that all decide against the same state before any of them goes on; each with a store of its own."""

    open_store: Callable[[], Store]
    prefix: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    decided: list[str] = field(default_factory=list)

    def place(self, name: str) -> Place:
        store = self.open_store()
        return Place(name, f"{self.prefix}-{name}", store, store)

    def publish(self, project: str, number: int, accuracy: float | None = None) -> Archive:
        dev = self.place("dev")
        models = {"digits": self._train(dev, number, accuracy)} if accuracy is not None else {}
        archive = build_archive(project, release_files(project, {f"{project}_read": str(number)}, models=models))
        record = Provenance(
            project=project,
            release=archive.digest,
            commit=f"{number:040x}",
            built_at="2026-11-22T09:30:00Z",
            tool_version="0",
        )
        publish(dev, archive, record)
        return archive

    def run(self, archives: list[tuple[str, int, Archive]]) -> list[Outcome | DeliveryError]:
        start = Barrier(len(archives), timeout=60)
        with ThreadPoolExecutor(len(archives)) as pool:
            return list(pool.map(lambda each: self._promote(start, *each), archives))

    def _promote(self, start: Barrier, project: str, number: int, archive: Archive) -> Outcome | DeliveryError:
        source, target = self.place("dev"), self.place("stage")
        release = read_archive(project, archive.digest, archive.content)
        decide = deciding_promotion(source, target, settings("stage"), release, Origin(f"{number:040x}", f"v{number}"))
        first = self._all_at_once(decide, start, archive.digest)
        try:
            return perform(first, source, target, Author(f"p{number}"), clock=Clock(sleep=lambda seconds: None))
        except DeliveryError as refused:
            return refused

    def _all_at_once(self, decide: Decide, start: Barrier, name: str) -> Decide:
        def deciding(state: State | None) -> Plan:
            plan = decide(state)
            if name not in self.decided:
                self.decided.append(name)
                start.wait()
            else:
                self.decided.append(name)
            return plan

        return deciding

    def _train(self, place: Place, number: int, accuracy: float) -> str:
        version, content = f"{number:016x}", f"weights {number}".encode()
        key = f"files/{digest_of(content)[:16]}/digits.joblib"
        described = ModelVersion(
            model="digits",
            version=version,
            inputs={},
            metrics={"accuracy": accuracy},
            gates={"accuracy": Gate(not_below="live")},
            files={"digits.joblib": StoredFile(key=key, sha256=digest_of(content), size=len(content))},
            commit=None,
            job_url=None,
            trained_at="2026-11-22T09:00:00Z",
            seconds=1.0,
            tool_version="0",
        )
        place.models.put(f"{place.prefix}/digits/{version}/{key}", content)
        place.models.put(model_key(place.prefix, "digits", version), described.to_json())
        return version

    def history(self) -> list[State]:
        """The states, oldest first, after ledger and releases were found sound."""
        stage = self.place("stage")
        found = read_history(stage.code, stage.prefix, check=True)
        assert found.faults == []
        assert check_releases(stage, found.states, deep=True).faults == []
        chain = list(reversed(list(states(stage))))
        assert [state.serial for state in chain] == list(range(1, len(chain) + 1)), "a serial was skipped"
        assert [record.state for record in found.records] == [state.name for state in chain]
        return chain


@pytest.fixture(params=["memory", pytest.param("ministack", marks=pytest.mark.stack)])
def race(request: pytest.FixtureRequest) -> Race:
    """In memory, and over real requests: some seconds, for each of 16 promoters asks again whenever another one won."""
    if request.param == "memory":
        store = MemoryStore()
        return Race(lambda: store)
    endpoint = request.getfixturevalue("ministack")
    return Race(lambda: open_bucket("code", endpoint))


def test_eight_promoters_of_one_project_are_live_one_after_the_other_each_once(race: Race) -> None:
    archives = [("digits", number, race.publish("digits", number)) for number in range(1, 9)]
    outcomes = race.run(archives)
    chain = race.history()
    done = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    assert len(done) == len(chain) == 8
    lived = [state.projects["digits"].release for state in chain]
    assert sorted(lived) == sorted(archive.digest for _, _, archive in archives)
    last = max(done, key=lambda outcome: outcome.state.serial)
    assert last.state == chain[-1], "the last one wins"
    assert [state.deployment.replaces for state in chain] == [None, *lived[:-1]]
    assert {state.deployment.source for state in chain} == {"dev"}
    assert len(race.decided) >= 8 + 7, "each that lost the first swap planned again"


def test_promoters_that_lose_check_their_gate_against_what_went_live_meanwhile(race: Race) -> None:
    accuracies = {number: 0.5 + 0.05 * (number * 5 % 8) for number in range(1, 9)}
    archives = [("digits", number, race.publish("digits", number, accuracies[number])) for number in accuracies]
    outcomes = race.run(archives)
    chain = race.history()
    lived = [accuracies[int(state.projects["digits"].commit, 16)] for state in chain]
    assert all(before <= after for before, after in pairwise(lived)), lived
    assert lived[-1] == max(accuracies.values())
    refused = [outcome for outcome in outcomes if isinstance(outcome, DeliveryError)]
    assert len(refused) + len(chain) == 8
    assert all("below the live version's" in str(error) for error in refused)


def test_sixteen_promoters_of_different_projects_are_all_live(race: Race) -> None:
    archives = [(f"p{number}", number, race.publish(f"p{number}", number)) for number in range(16)]
    outcomes = race.run(archives)
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    chain = race.history()
    assert len(chain) == 16
    assert sorted(chain[-1].projects) == sorted(project for project, _, _ in archives)
    assert [len(state.projects) for state in chain] == list(range(1, 17)), "no update was lost on the way"
    assert len(race.decided) >= 16 + 15
