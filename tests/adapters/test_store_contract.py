"""What every Store does: the same claims over memory, moto and ministack."""

import hashlib
import io
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from windlass.delivery.history.states import require_preconditions
from windlass.spec.errors import DeliveryError
from windlass.spec.store import PIECE, Conflict, Missing, Stat, Store, digest_in, holds

SMALL = b"\0\xff weights" * 100
LARGE = bytes(range(256)) * (11 * 1024**2 // 256)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put_file(store: Store, key: str, content: bytes) -> None:
    store.put_file(key, io.BytesIO(content), sha256=sha256(content), size=len(content))


def described(store: Store, key: str) -> Stat:
    found = store.stat(key)
    assert found is not None
    return found


@pytest.fixture
def prefix() -> str:
    return f"dev-{uuid.uuid4().hex[:8]}"


def test_what_is_put_is_got_back_with_its_etag(store: Store, prefix: str) -> None:
    etag = store.put(f"{prefix}/a", b"\0\xff content")
    found = store.get(f"{prefix}/a")
    assert (found.content, found.etag) == (b"\0\xff content", etag)


def test_an_empty_object_is_an_object(store: Store, prefix: str) -> None:
    store.put(f"{prefix}/a", b"")
    assert store.get(f"{prefix}/a").content == b""
    assert store.exists(f"{prefix}/a")


def test_what_is_not_there_is_missing(store: Store, prefix: str) -> None:
    assert not store.exists(f"{prefix}/a")
    for ask in (lambda: store.get(f"{prefix}/a"), lambda: store.get_if_changed(f"{prefix}/a", '"x"')):
        with pytest.raises(Missing, match=f"{prefix}/a"):
            ask()


def test_an_object_that_has_not_changed_is_not_sent_again(store: Store, prefix: str) -> None:
    etag = store.put(f"{prefix}/a", b"one")
    assert store.get_if_changed(f"{prefix}/a", etag) is None
    store.put(f"{prefix}/a", b"two")
    found = store.get_if_changed(f"{prefix}/a", etag)
    assert found is not None
    assert found.content == b"two"


def test_a_write_if_absent_meets_an_object(store: Store, prefix: str) -> None:
    store.put(f"{prefix}/a", b"one", if_absent=True)
    with pytest.raises(Conflict, match=f"{prefix}/a"):
        store.put(f"{prefix}/a", b"two", if_absent=True)
    assert store.get(f"{prefix}/a").content == b"one"


def test_a_write_if_match_needs_exactly_that_content(store: Store, prefix: str) -> None:
    first = store.put(f"{prefix}/a", b"one")
    second = store.put(f"{prefix}/a", b"two", if_match=first)
    with pytest.raises(Conflict, match=f"{prefix}/a"):
        store.put(f"{prefix}/a", b"three", if_match=first)
    assert store.get(f"{prefix}/a").etag == second


def test_a_write_if_match_on_nothing_is_a_conflict(store: Store, prefix: str) -> None:
    with pytest.raises(Conflict, match=f"{prefix}/a"):
        store.put(f"{prefix}/a", b"one", if_match='"0123456789abcdef0123456789abcdef"')
    assert not store.exists(f"{prefix}/a")


def test_of_many_writers_at_once_exactly_one_wins(store: Store, prefix: str) -> None:
    etag = store.put(f"{prefix}/a", b"begin")

    def write(number: int) -> bool:
        try:
            store.put(f"{prefix}/a", f"{number}".encode(), if_match=etag)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(8))).count(True) == 1


def test_keys_are_listed_sorted_and_over_all_pages(store: Store, prefix: str, more_than_a_page: int) -> None:
    keys = [f"{prefix}/list/{number:04}" for number in range(more_than_a_page)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, b""), keys))
    store.put(f"{prefix}/other", b"")
    assert list(store.list(f"{prefix}/list/")) == keys
    assert list(store.list(f"{prefix}/nothing")) == []


def test_a_listing_tells_size_and_time(store: Store, prefix: str) -> None:
    for name, content in (("b", b"three"), ("a", b"")):
        store.put(f"{prefix}/{name}", content)
    first, second = store.list_objects(f"{prefix}/")
    assert [(first.key, first.size), (second.key, second.size)] == [(f"{prefix}/a", 0), (f"{prefix}/b", 5)]
    for found in (first, second):
        assert found.modified.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - found.modified) < timedelta(minutes=1)


def test_an_object_that_is_written_again_is_as_young_as_that(store: Store, prefix: str) -> None:
    store.put(f"{prefix}/a", b"one")
    (before,) = store.list_objects(f"{prefix}/")
    time.sleep(1.1)  # S3 tells whole seconds
    store.put(f"{prefix}/a", b"one")
    (after,) = store.list_objects(f"{prefix}/")
    assert after.modified > before.modified


def test_what_is_deleted_is_gone_and_nothing_else(store: Store, prefix: str) -> None:
    for name in ("a", "ab", "a/b"):
        store.put(f"{prefix}/{name}", b"x")
    store.delete(f"{prefix}/a")
    assert list(store.list(f"{prefix}/")) == [f"{prefix}/a/b", f"{prefix}/ab"]
    with pytest.raises(Missing):
        store.get(f"{prefix}/a")


def test_deleting_what_is_not_there_is_no_error(store: Store, prefix: str) -> None:
    store.delete(f"{prefix}/nothing")
    store.put(f"{prefix}/a", b"x")
    store.delete(f"{prefix}/a")
    store.delete(f"{prefix}/a")
    assert not store.exists(f"{prefix}/a")


def test_it_honours_what_a_state_needs(store: Store, prefix: str) -> None:
    require_preconditions(store, prefix)
    require_preconditions(store, prefix)


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_a_file_is_put_and_read_back_in_pieces(store: Store, prefix: str, content: bytes) -> None:
    put_file(store, f"{prefix}/a", content)
    pieces = list(store.pieces(f"{prefix}/a"))
    assert b"".join(pieces) == content
    assert all(len(piece) <= PIECE for piece in pieces)
    assert digest_in(store, f"{prefix}/a") == sha256(content)


def test_what_is_put_is_known_by_size_etag_and_sha256(store: Store, prefix: str) -> None:
    etag = store.put(f"{prefix}/a", SMALL)
    put_file(store, f"{prefix}/b", SMALL)
    assert described(store, f"{prefix}/a") == Stat(len(SMALL), etag, sha256(SMALL))
    assert described(store, f"{prefix}/b") == Stat(len(SMALL), etag, sha256(SMALL))
    assert store.stat(f"{prefix}/c") is None


def test_what_is_not_there_has_no_pieces(store: Store, prefix: str) -> None:
    with pytest.raises(Missing, match=f"{prefix}/a"):
        list(store.pieces(f"{prefix}/a"))
    assert not holds(store, f"{prefix}/a", sha256(b""))


def test_a_large_file_is_put_in_parts_and_is_still_known_to_be_right(in_parts: Store, prefix: str) -> None:
    put_file(in_parts, f"{prefix}/a", LARGE)
    assert described(in_parts, f"{prefix}/a").sha256 in (None, sha256(LARGE))  # of the whole, or none: never of parts
    assert holds(in_parts, f"{prefix}/a", sha256(LARGE), len(LARGE))
    assert not holds(in_parts, f"{prefix}/a", sha256(SMALL), len(LARGE))
    assert not holds(in_parts, f"{prefix}/a", sha256(LARGE), len(LARGE) + 1)


def test_a_large_file_that_is_another_one_appears_nowhere(in_parts: Store, prefix: str) -> None:
    with pytest.raises(DeliveryError, match=f"{prefix}/a: the file changed while it was sent"):
        in_parts.put_file(f"{prefix}/a", io.BytesIO(LARGE), sha256=sha256(SMALL), size=len(LARGE))
    assert in_parts.stat(f"{prefix}/a") is None


def test_what_is_larger_than_expected_is_refused_by_name_before_it_is_read(store: Store, prefix: str) -> None:
    etag = store.put(f"{prefix}/a", SMALL)
    assert store.get(f"{prefix}/a", limit=len(SMALL)).content == SMALL
    for ask in (
        lambda: store.get(f"{prefix}/a", limit=len(SMALL) - 1),
        lambda: store.get_if_changed(f"{prefix}/a", '"x"', limit=10),
    ):
        with pytest.raises(DeliveryError, match=rf"{prefix}/a has 1,000 bytes, and at most \d+ are read"):
            ask()
    assert store.get_if_changed(f"{prefix}/a", etag, limit=10) is None
    assert store.get(f"{prefix}/a").content == SMALL  # the connection serves on


def test_the_store_copies_by_itself_what_it_knows_the_sha256_of(store: Store, prefix: str) -> None:
    put_file(store, f"{prefix}/a", SMALL)
    assert store.copy(store, f"{prefix}/a", f"{prefix}/b", described(store, f"{prefix}/a"))
    assert described(store, f"{prefix}/b").sha256 == sha256(SMALL)
    assert store.get(f"{prefix}/b").content == SMALL
    assert store.copy(store, f"{prefix}/b", f"{prefix}/c", described(store, f"{prefix}/b"))  # and on from there


def test_the_store_vouches_for_no_copy_of_something_else(store: Store, prefix: str) -> None:
    put_file(store, f"{prefix}/a", SMALL)
    before = described(store, f"{prefix}/a")
    put_file(store, f"{prefix}/a", SMALL[::-1])
    assert not store.copy(store, f"{prefix}/a", f"{prefix}/b", before)
    assert not store.copy(store, f"{prefix}/nothing", f"{prefix}/b", before)
    assert not holds(store, f"{prefix}/b", sha256(SMALL))


def test_what_has_no_sha256_or_too_many_bytes_is_left_to_the_caller(in_parts: Store, prefix: str) -> None:
    put_file(in_parts, f"{prefix}/a", LARGE)
    found = described(in_parts, f"{prefix}/a")
    unknown = Stat(found.size, found.etag, None)
    assert not in_parts.copy(in_parts, f"{prefix}/a", f"{prefix}/b", unknown)
    assert in_parts.stat(f"{prefix}/b") is None
