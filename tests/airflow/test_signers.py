"""ReleaseBundle serves what a known key signed; who is known stands in Airflow's configuration, not in the bucket."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.conftest import BundleFactory
from tests.fakes.memory_store import MemoryStore
from tests.fakes.releases import PREFIX, deliver, make_release
from tests.fakes.signing import ANN, CI, MALLORY, TRUSTED
from windlass.delivery.release.archive import Archive
from windlass.delivery.release.signature import SigningKey, sign
from windlass.delivery.release.trust import Distrusted
from windlass.spec.release import Provenance, provenance_key, release_key
from windlass.spec.state import State

pytestmark = pytest.mark.airflow

COMMIT = "c" * 40
ONE = make_release("digits", {"read": "one"})
TWO = make_release("digits", {"read": "two"})
OTHER = make_release("letters", {"sort": "abc"})


def key(archive: Archive, project: str = "digits") -> str:
    return provenance_key(PREFIX, project, archive.digest, COMMIT)


def record(archive: Archive, by: SigningKey | None = CI, project: str = "digits", **facts: Any) -> bytes:
    plain = Provenance(
        project=project, release=archive.digest, commit=COMMIT, built_at="2026-11-22T09:30:00Z", tool_version="0"
    ).model_copy(update=facts)
    return (sign(plain, by) if by else plain).to_json()


def deliver_signed(store: MemoryStore, archive: Archive, serial: int = 1, by: SigningKey | None = CI) -> State:
    store.objects[key(archive)] = record(archive, by)
    return deliver(store, {"digits": archive}, serial)


def word(bundle: Any) -> str:
    text = Path(bundle.path, "digits/dags/read.py").read_text()
    return next(word for word in ("one", "two") if f'"{word}"' in text)


def test_an_empty_disk_costs_one_get_of_the_state_the_release_and_its_record(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    state = deliver_signed(store, ONE)
    store.calls.clear()
    made = bundle(signers=TRUSTED)
    made.initialize()
    assert sorted(store.calls) == [
        f"get {key(ONE)}",
        f"get {release_key(PREFIX, 'digits', ONE.digest)}",
        "get dev/state.json",
    ]
    store.calls.clear()
    made.refresh()
    bundle(signers=TRUSTED).initialize()
    assert store.calls == ["get dev/state.json"] * 2
    assert word(made) == "one"
    store.calls.clear()
    bundle(state.name, signers=TRUSTED).initialize()
    assert store.calls == [f"get dev/states/{state.name}.json"]


def test_without_signers_nobody_reads_records(bundle: BundleFactory, store: MemoryStore) -> None:
    deliver(store, {"digits": ONE})
    store.calls.clear()
    bundle().initialize()
    assert not [call for call in store.calls if "provenance" in call]


BAD = {
    "unsigned": (record(TWO, None), "is not signed; dev takes only what ci signed"),
    "missing": (None, "has no record in dev"),
    "stranger": (record(TWO, MALLORY), f"is signed by an unknown key, {MALLORY.public}"),
    "altered": (record(TWO).replace(b'"tag": null', b'"tag": "v9"'), "the signature of ci does not fit it"),
    "other release": (record(ONE), "it is about release"),
    "other project": (record(TWO, project="letters"), "it is about release"),
    "other commit": (record(TWO, commit="d" * 40), "it is about release"),
    "no record": (b"<html>", "has a record that was altered"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_release_that_is_not_trusted_is_refused_by_name_and_the_last_version_goes_on(
    name: str, bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    content, message = BAD[name]
    first = deliver_signed(store, ONE)
    made = bundle(signers=TRUSTED)
    made.initialize()
    second = deliver_signed(store, TWO, serial=2)
    del store.objects[key(TWO)]
    if content is not None:
        store.objects[key(TWO)] = content
    made.refresh()
    assert word(made) == "one"
    assert made.get_current_version().version == first.name
    assert f"stays at version {first.name}: release {TWO.digest[:12]} of digits" in caplog.text
    assert message in caplog.text
    assert not (made.base_dir / "releases" / TWO.digest).exists(), "nothing of it is unpacked"
    with pytest.raises(Distrusted, match=f"release {TWO.digest[:12]} of digits"):
        bundle(second.name, signers=TRUSTED).initialize()
    shutil.rmtree(made.base_dir)
    with pytest.raises(Distrusted):
        bundle(signers=TRUSTED).initialize()
    store.objects[key(TWO)] = record(TWO)
    again = bundle(signers=TRUSTED)
    again.initialize()
    assert word(again) == "two"


def test_a_state_that_names_another_commit_of_a_staged_release_needs_a_record_of_that_commit(
    bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    deliver_signed(store, ONE)
    made = bundle(signers=TRUSTED)
    made.initialize()
    state = deliver(store, {"digits": ONE}, serial=2)
    projects = {"digits": state.projects["digits"].model_copy(update={"commit": "../../" + "d" * 34})}
    store.objects["dev/state.json"] = state.model_copy(update={"projects": projects}).to_json()
    made.refresh()
    assert "has no record in dev" in caplog.text
    assert made.get_current_version().data["projects"]["digits"]["commit"] == COMMIT


def test_one_project_that_is_not_trusted_keeps_the_whole_version_out(
    bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    deliver_signed(store, ONE)
    made = bundle(signers=TRUSTED)
    made.initialize()
    store.objects[key(TWO)] = record(TWO)
    deliver(store, {"digits": TWO, "letters": OTHER}, serial=2)
    made.refresh()
    assert (word(made), f"release {OTHER.digest[:12]} of letters" in caplog.text) == ("one", True)
    only = bundle(signers=TRUSTED, projects=["digits"])
    only.refresh()
    assert word(only) == "two"


def test_a_promotion_of_one_project_reads_the_record_of_that_one_only(
    bundle: BundleFactory, store: MemoryStore
) -> None:
    for archive, project in ((ONE, "digits"), (TWO, "digits"), (OTHER, "letters")):
        store.objects[key(archive, project)] = record(archive, project=project)
    deliver(store, {"digits": ONE, "letters": OTHER})
    made = bundle(signers=TRUSTED)
    made.initialize()
    deliver(store, {"digits": TWO, "letters": OTHER}, serial=2)
    store.calls.clear()
    made.refresh()
    assert [call for call in store.calls if "provenance" in call] == [f"get {key(TWO)}"]


def test_when_signers_come_what_is_staged_goes_on_with_an_error_until_it_is_signed(
    bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    state = deliver_signed(store, ONE, by=None)
    bundle().initialize()
    made = bundle(signers=TRUSTED)
    made.initialize()
    assert word(made) == "one"
    assert f"stays at version {state.name}: release {ONE.digest[:12]} of digits" in caplog.text
    caplog.clear()
    made.refresh()
    assert "is not signed" in caplog.text, "each refresh says so"
    store.objects[key(ONE)] = record(ONE)
    caplog.clear()
    made.refresh()
    assert "stays at" not in caplog.text
    store.calls.clear()
    made.refresh()
    assert store.calls == ["get dev/state.json"]


def test_a_key_that_is_trusted_no_longer_lets_nothing_go_live_even_what_is_still_on_disk(
    bundle: BundleFactory, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    first = deliver_signed(store, ONE)
    both = bundle(signers={**TRUSTED, "ann": ANN.public})
    both.initialize()
    running = bundle(first.name, signers=TRUSTED)
    running.initialize()
    deliver_signed(store, TWO, serial=2, by=ANN)
    both.refresh()
    assert word(both) == "two"

    deliver(store, {"digits": ONE}, serial=3)
    after = bundle(signers={"ann": ANN.public})
    after.refresh()
    assert (word(after), "is signed by an unknown key" in caplog.text) == ("two", True)
    bundle(first.name, signers={"ann": ANN.public}).initialize()
    assert word(running) == "one", "a run that has begun finishes with what was staged for it"
    shutil.rmtree(running.path)
    with pytest.raises(Distrusted):
        bundle(first.name, signers={"ann": ANN.public}).initialize()


@pytest.mark.parametrize("signers", [{}, [], "ci", {"ci": "ed25519:AAAA"}, {"ci": None}])
def test_signers_that_name_nobody_are_an_error_and_not_trust_in_everybody(
    signers: object, bundle: BundleFactory
) -> None:
    with pytest.raises(Exception, match="bundle windlass: signers: "):
        bundle(signers=signers)
