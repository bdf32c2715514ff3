"""Files in S3, over a real HTTP server."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.storage import Storage


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server("data") as address:
        yield address


@pytest.fixture
def storage(endpoint: str) -> Storage:
    return Storage(endpoint)


def test_what_was_kept_is_fetched_again_byte_for_byte(storage: Storage, tmp_path: Path) -> None:
    content = bytes(range(256)) * 50_000  # larger than one part of a multipart upload
    (tmp_path / "a.bin").write_bytes(content)
    kept = storage.keep("data", "dev/a.bin", tmp_path / "a.bin")
    sha256 = hashlib.sha256(content).hexdigest()
    assert kept == {"key": "dev/a.bin", "sha256": sha256, "size": len(content), "name": "a.bin"}
    assert storage.fetch("data", "dev/a.bin", tmp_path / "new" / "b.bin", sha256) == (sha256, len(content))
    assert (tmp_path / "new" / "b.bin").read_bytes() == content


def test_an_object_that_was_changed_is_refused_and_removed(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    storage.keep("data", "a", tmp_path / "a")
    with pytest.raises(RuntimeStop, match=r"s3://data/a is not what was kept: .* somebody changed it"):
        storage.fetch("data", "a", tmp_path / "b", "0" * 64)
    assert not (tmp_path / "b").exists()


def test_a_copy_has_the_same_bytes_and_may_be_repeated(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    storage.keep("data", "a", tmp_path / "a")
    for _ in range(2):
        storage.copy("data", "a", "delivered/a", 3)
    assert b"".join(storage.chunks("data", "delivered/a")) == b"abc"
    with pytest.raises(RuntimeStop, match="has 3 bytes after the copy instead of 4"):
        storage.copy("data", "a", "delivered/a", 4)


def test_the_size_of_an_object_is_known_and_none_when_it_is_not_there(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    storage.keep("data", "dev/a.bin", tmp_path / "a.bin")
    assert (storage.size("data", "dev/a.bin"), storage.size("data", "dev/b.bin")) == (3, None)


def test_what_is_not_there_is_named(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match="there is no object s3://data/nothing"):
        storage.fetch("data", "nothing", tmp_path / "x")
    with pytest.raises(RuntimeStop, match="there is no object s3://data/nothing"):
        storage.copy("data", "nothing", "x", 1)
    with pytest.raises(RuntimeStop, match="there is no bucket 'other' at http"):
        storage.fetch("other", "x", tmp_path / "x")
    (tmp_path / "f").write_text("f")
    with pytest.raises(RuntimeStop, match="s3://other/x"):
        storage.keep("other", "x", tmp_path / "f")


def test_a_store_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(RuntimeStop, match=r"S3 at http://127\.0\.0\.1:9 cannot be reached for s3://data/x"):
        Storage("http://127.0.0.1:9").fetch("data", "x", tmp_path / "x")


def test_missing_credentials_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    for name, value in {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeStop, match="there are no credentials for s3://data/x"):
        Storage("http://127.0.0.1:9").fetch("data", "x", tmp_path / "x")


def test_a_piece_of_an_object_is_read_alone(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "piece.bin").write_bytes(b"0123456789")
    storage.keep("data", "dev/piece.bin", tmp_path / "piece.bin")
    read = [storage.piece("data", "dev/piece.bin", *each) for each in ((0, 4), (8, 4), (20, 4))]
    assert read == [b"0123", b"89", b""]
    with pytest.raises(RuntimeStop, match="there is no object s3://data/dev/none"):
        storage.piece("data", "dev/none", 0, 4)
