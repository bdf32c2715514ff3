"""The releases that a history names: there, gone as a whole, or not what they say."""

import pytest

from tests.fakes.chains import chain_of
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.history.ledger import read_history
from windlass.delivery.history.named_releases import ReleasesCheck, check_releases
from windlass.delivery.place import Place

_CHAIN = chain_of(7)


@pytest.fixture
def place() -> Place:
    """dev with three releases, of which the one with commit ...1 is live."""
    store = MemoryStore(dict(_CHAIN.objects))
    return Place("dev", "dev", store, store)


def check(place: Place, *, deep: bool = False) -> ReleasesCheck:
    return check_releases(place, read_history(place.code, "dev", check=True).states, deep=deep)


def of(place: Place, number: int) -> tuple[str, str]:
    """The keys of archive and provenance of the release with this commit."""
    assert isinstance(place.code, MemoryStore)
    record = next(key for key in place.code.objects if key.endswith(f"{number:040x}.json"))
    digest = record.split("/")[3]
    return f"dev/releases/digits/{digest}.tar.gz", record


def test_releases_that_are_as_named_are_counted(place: Place) -> None:
    assert check(place) == check(place, deep=True) == ReleasesCheck(3, 0, [])


def test_a_release_that_a_gc_removed_is_no_fault_unless_it_is_live(place: Place) -> None:
    assert isinstance(place.code, MemoryStore)
    for key in of(place, 0):
        del place.code.objects[key]
    assert check(place, deep=True) == ReleasesCheck(2, 1, [])
    for key in of(place, 1):
        del place.code.objects[key]
    archive, record = check(place).faults
    assert "tar.gz is missing: release" in archive
    assert "was live here" in record


@pytest.mark.parametrize("part", [0, 1])
def test_a_release_that_is_half_there_is_named(place: Place, part: int) -> None:
    assert isinstance(place.code, MemoryStore)
    key = of(place, 2)[part]
    del place.code.objects[key]
    (fault,) = check(place, deep=True).faults
    assert fault.startswith(f"{key} is missing: release")


def test_an_altered_archive_is_found_when_its_bytes_are_looked_at(place: Place) -> None:
    assert isinstance(place.code, MemoryStore)
    key = of(place, 2)[0]
    place.code.objects[key] += b"x"
    assert check(place).faults == []
    (fault,) = check(place, deep=True).faults
    assert fault.startswith(f"{key} was altered: its bytes have the SHA-256")


@pytest.mark.parametrize("content", [b"{}", b"\xff", None])
def test_altered_provenance_is_named(place: Place, content: bytes | None) -> None:
    assert isinstance(place.code, MemoryStore)
    key = of(place, 2)[1]
    place.code.objects[key] = content if content is not None else place.code.objects[of(place, 0)[1]]
    (fault,) = check(place).faults
    assert fault.startswith(key)
