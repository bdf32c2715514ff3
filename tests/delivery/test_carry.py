"""Files on their way from one bucket to another: which way they take, what stops them, and what is left then."""

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.delivery.conftest import World
from tests.delivery.test_perform import Killed
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.promotion import carry
from windlass.delivery.promotion.carry import Cargo, carry_all
from windlass.delivery.promotion.meter import Meter, amount
from windlass.delivery.promotion.models import copy_version, load_version
from windlass.delivery.release.archive import digest_of
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.model import ModelVersion, StoredFile, model_key

CONTENT = b"weights" * 100
VERSION = "a" * 16


def cargo(number: int = 0, content: bytes = CONTENT) -> Cargo:
    return Cargo(f"file {number}", f"dev/{number}", f"stage/{number}", digest_of(content), len(content))


def test_a_store_that_keeps_checksums_copies_by_itself() -> None:
    store = MemoryStore({"dev/0": CONTENT})
    assert carry_all(store, store, [cargo()]) == ["copied by S3"]
    assert store.calls == ["stat stage/0", "stat dev/0", "copy stage/0"]
    assert carry_all(store, store, [cargo()]) == ["there already"]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (MemoryStore(checksums=False), MemoryStore(copies=False)),
        (MemoryStore(), MemoryStore(copies=False)),
        (MemoryStore(), MemoryStore(copies=False, checksums=False)),
    ],
    ids=["no checksums", "another endpoint or no permission", "nothing at all"],
)
def test_any_other_store_gets_the_bytes_through_here(source: MemoryStore, target: MemoryStore) -> None:
    source.objects["dev/0"] = CONTENT
    told: list[int] = []
    assert carry_all(source, target, [cargo()], told.append) == ["carried through here"]
    assert target.objects == {"stage/0": CONTENT}
    assert sum(told) == len(CONTENT)
    assert carry_all(source, target, [cargo()]) == ["there already"]


@pytest.mark.parametrize("checksums", [True, False])
def test_a_file_that_is_there_and_wrong_is_replaced(checksums: bool) -> None:
    for wrong in (CONTENT[:-1], CONTENT[:-1] + b"x", b""):
        store = MemoryStore({"dev/0": CONTENT, "stage/0": wrong}, checksums=checksums)
        carry_all(store, store, [cargo()])
        assert store.objects["stage/0"] == CONTENT


@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize("wrong", [CONTENT[:-1], CONTENT[:-1] + b"x", CONTENT + b"x", b"", None])
def test_a_wrong_byte_never_arrives_under_the_final_key(wrong: bytes | None, checksums: bool) -> None:
    store = MemoryStore({} if wrong is None else {"dev/0": wrong}, checksums=checksums)
    with pytest.raises(DeliveryError, match=r"file 0 (was altered|is missing)"):
        carry_all(store, store, [cargo()])
    assert "stage/0" not in store.objects


def test_a_file_that_grows_while_it_is_read_is_refused_before_it_fills_the_disk() -> None:
    source = MemoryStore({"dev/0": CONTENT}, checksums=False)
    read: list[bytes] = []

    def growing(key: str) -> object:
        for _ in range(1000):
            read.append(CONTENT)
            yield CONTENT

    source.pieces = growing
    with pytest.raises(DeliveryError, match="file 0 was altered"):
        carry_all(source, MemoryStore(copies=False), [cargo()])
    assert len(read) == 2


def test_a_disk_without_room_is_found_before_a_byte_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    monkeypatch.setattr(carry, "_IN_MEMORY", 10)
    store = MemoryStore({"dev/0": CONTENT}, copies=False)
    with pytest.raises(ServiceError, match=r"no room for 700 bytes in .* \(No space left on device\); free some"):
        carry_all(store, store, [cargo()])
    assert not [call for call in store.calls if call.startswith(("read", "put"))]


def test_what_is_larger_than_memory_should_hold_goes_over_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(carry, "_IN_MEMORY", 10)
    store = MemoryStore({"dev/0": CONTENT}, copies=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert carry_all(store, store, [cargo()]) == ["carried through here"]
    assert store.objects["stage/0"] == CONTENT
    assert not list(tmp_path.iterdir())


def test_the_first_error_stops_what_is_under_way_and_what_has_not_begun() -> None:
    store = MemoryStore({f"dev/{number}": CONTENT for number in range(20)}, copies=False)
    store.objects["dev/3"] = b"short"
    with pytest.raises(DeliveryError, match="file 3 was altered"):
        carry_all(store, store, [cargo(number) for number in range(20)])
    assert threading.active_count() < 20
    assert len([key for key in store.objects if key.startswith("stage/")]) < 20
    assert all(value == CONTENT for key, value in store.objects.items() if key.startswith("stage/"))


def test_ctrl_c_ends_an_upload_that_another_thread_is_in_the_middle_of() -> None:
    """One file is being sent when the other one's thread is interrupted: the sending ends at its next read."""
    store = MemoryStore({"dev/0": CONTENT, "dev/1": CONTENT}, copies=False)
    sending, interrupted = threading.Event(), threading.Event()
    plain_put = store.put_file

    def slow_put(key: str, file: object, **arguments: object) -> None:
        if key == "stage/0":
            sending.set()
            assert interrupted.wait(10)
            file.seek(0)
            while file.read(1):  # the upload's next reads, until it is told to end
                file.seek(0)
        plain_put(key, file, **arguments)

    def interrupt(call: str) -> None:
        if call == "read dev/1":
            assert sending.wait(10)
            interrupted.set()
            raise KeyboardInterrupt

    store.put_file, store.before = slow_put, interrupt
    with pytest.raises(KeyboardInterrupt):
        carry_all(store, store, [cargo(0), cargo(1)])
    assert not [key for key in store.objects if key.startswith("stage/")]


def test_ctrl_c_where_somebody_waits_ends_what_the_other_threads_do() -> None:
    store = MemoryStore({"dev/0": CONTENT}, copies=False)

    def endless(key: str, file: BinaryIO, **arguments: object) -> None:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)  # as the kernel hands on what a terminal sends
        file.seek(0)
        while file.read(1):
            file.seek(0)

    store.put_file = endless
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            carry_all(store, store, [cargo()])
    finally:
        signal.signal(signal.SIGINT, before)
    assert "stage/0" not in store.objects


def trained(store: MemoryStore, *names: str, place: str = "dev") -> ModelVersion:
    files = {}
    for name in names:
        content = f"content of {name}".encode() * 10
        files[name] = StoredFile(
            key=f"files/{digest_of(content)[:16]}/{name}", sha256=digest_of(content), size=len(content)
        )
        store.objects[f"{place}/digits/{VERSION}/{files[name].key}"] = content
    version = ModelVersion(
        model="digits",
        version=VERSION,
        inputs={},
        metrics={},
        gates={},
        files=files,
        commit=None,
        job_url=None,
        trained_at="2026-11-22T09:00:00Z",
        seconds=1.0,
        tool_version="0",
    )
    store.objects[model_key(place, "digits", VERSION)] = version.to_json()
    return version


def copied(world: World) -> dict[str, bytes]:
    return {key: value for key, value in world.store.objects.items() if key.startswith("stage/")}


def test_model_json_comes_last_and_the_way_is_said(world: World) -> None:
    trained(world.store, "a", "b", "c")
    said: list[str] = []
    copy_version(world.place("dev"), world.place("stage"), "digits", VERSION, said.append)
    assert said == [
        f"copying model digits, version {VERSION}: 3 files, 360 bytes",
        f"model digits, version {VERSION}: 3 files copied by S3",
    ]
    writes = [call for call in world.store.calls if call.startswith(("put", "copy"))]
    assert writes[-1] == f"put stage/digits/{VERSION}/model.json"
    assert len(copied(world)) == 4


def test_a_key_that_leads_out_of_the_versions_folder_is_refused(world: World) -> None:
    version = trained(world.store, "a")
    file = version.files["a"].model_copy(update={"key": "../../../prod/state.json"})
    world.store.objects[model_key("dev", "digits", VERSION)] = version.model_copy(
        update={"files": {"a": file}}
    ).to_json()
    with pytest.raises(DeliveryError, match=r"file 'a' has the key '../../../prod/state.json', which leads out"):
        copy_version(world.place("dev"), world.place("stage"), "digits", VERSION)
    assert not copied(world)


def test_a_version_whose_file_was_damaged_in_the_target_is_made_whole_by_the_next_promotion(world: World) -> None:
    archive = world.publish("1" * 40, {"read": "one"}, {"digits": VERSION})
    trained(world.store, "a", "b")
    world.promote(archive, "1" * 40, "stage")
    wanted = copied(world)
    key = next(key for key in wanted if key.endswith("/b"))
    for damaged in (b"short", wanted[key][:-1] + b"x", None):
        world.store.objects[key] = damaged if damaged is not None else b""
        if damaged is None:
            del world.store.objects[key]
        outcome = world.promote(archive, "1" * 40, "stage")
        assert outcome.plan.copy_models == ("digits",)
        assert copied(world) == wanted


def test_a_rollback_to_a_damaged_model_is_refused_by_name(world: World) -> None:
    first = world.publish("1" * 40, {"read": "one"}, {"digits": VERSION})
    trained(world.store, "a")
    world.promote(first, "1" * 40, "stage")
    second = world.publish("2" * 40, {"read": "two"})
    world.promote(second, "2" * 40, "stage")
    earlier = (
        world.live()
        .projects["digits"]
        .model_copy(update={"release": first.digest, "commit": "1" * 40, "models": {"digits": VERSION}})
    )
    del world.store.objects[next(key for key in copied(world) if key.endswith("/a"))]
    with pytest.raises(DeliveryError, match=r"file 'a' in stage is missing"):
        world.rollback(earlier, "stage")
    assert world.live().projects["digits"].release == second.digest


def test_another_description_of_the_same_version_stays_where_its_files_are_whole(world: World) -> None:
    trained(world.store, "a")
    other = trained(world.store, "b", place="stage").to_json()
    copy_version(world.place("dev"), world.place("stage"), "digits", VERSION)
    assert world.store.objects[model_key("stage", "digits", VERSION)] == other
    del world.store.objects[next(key for key in copied(world) if key.endswith("/b"))]
    copy_version(world.place("dev"), world.place("stage"), "digits", VERSION)
    assert (
        world.store.objects[model_key("stage", "digits", VERSION)]
        == world.store.objects[model_key("dev", "digits", VERSION)]
    )


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("way", ["copied by S3", "carried through here", "no checksums"])
@pytest.mark.parametrize("kind", [Killed, TransientError])
def test_a_version_of_many_files_is_there_as_a_whole_or_not_at_all_whatever_call_fails(
    kind: type[BaseException], way: str, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepared() -> World:
        world = World(MemoryStore(copies=way == "copied by S3", checksums=way != "no checksums"))
        trained(world.store, *"abcdef")
        return world

    def carried(world: World) -> None:
        copy_version(world.place("dev"), world.place("stage"), "digits", VERSION)

    whole = prepared()
    carried(whole)
    points = len(whole.store.calls)
    there = 0
    for point in range(points):
        world = prepared()
        setattr(world.store, moment, dying(kind, point))
        with pytest.raises(kind):
            carried(world)
        setattr(world.store, moment, lambda call: None)
        if load_version(world.place("stage"), "digits", VERSION):
            there += 1
            assert copied(world) == copied(whole), f"point {point}"
        assert copied(world).items() <= copied(whole).items(), f"point {point}: something else is there"
        carried(world)
        assert copied(world) == copied(whole), f"point {point}"
    assert there == (moment == "after")
    with capsys.disabled():
        sys.stdout.write(f" [{way}: {kind.__name__} {moment} each of {points} calls]")


def dying(kind: type[BaseException], point: int) -> Callable[[str], None]:
    """Fails the call number `point` and every later one: whoever is gone asks nothing any more."""
    lock, count = threading.Lock(), iter(range(10**6))

    def die(call: str) -> None:
        with lock:
            number = next(count)
        if number >= point:
            raise kind(call)

    return die


def test_a_long_transfer_is_told_in_tenths_and_a_short_one_not_at_all() -> None:
    said: list[str] = []
    short = Meter("model digits", 10_000_000, said.append)
    for _ in range(10):
        short.add(1_000_000)
    assert said == []
    long = Meter("model digits", 2_000_000_000, said.append)
    for _ in range(2000):
        long.add(1_000_000)
    assert said[:2] == ["model digits: 200.0 MB of 2.0 GB", "model digits: 400.0 MB of 2.0 GB"]
    assert len(said) == 9


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1200, "1.2 KB"), (5 * 10**9, "5.0 GB"), (10**16, "10000.0 TB")],
)
def test_an_amount_is_said_as_a_person_says_it(size: int, text: str) -> None:
    assert amount(size) == text
