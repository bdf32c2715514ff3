# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""`status --at` and `history` as a shell gets them, over a store in memory with a history of some days."""

import json
import re
from pathlib import Path

import pytest

from tests.delivery.in_memory import open_store, s3  # noqa: F401 - fixtures
from tests.delivery.test_commands import Run, project, windlass  # noqa: F401 - fixtures
from tests.fakes.chains import chain_of
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.history.states import load_current
from windlass.spec.store import Store

pytestmark = pytest.mark.stack

LENGTH = 6


@pytest.fixture
def store(project: Path) -> MemoryStore:
    """dev had six deployments, from 11 to 16 o'clock on 2026-11-01; stage none."""
    (project / "environments/dev.yml").write_text("extends: base\nprefix: dev\n")
    bucket = MemoryStore()
    chain_of(LENGTH, store=bucket)
    return bucket


def test_status_at_a_time_shows_what_was_live_then(store: Store, windlass: Run) -> None:
    code, out, err = windlass("status", "--at", "2026-11-01 13:30", "--json")
    assert code == 0, err
    dev, stage = json.loads(out)
    assert (dev["state"].partition("-")[0], dev["at"], dev["until"]) == (
        "3",
        "2026-11-01T13:30:00Z",
        "2026-11-01T14:00:00Z",
    )
    assert dev["deployment"]["at"] == "2026-11-01T13:00:00Z"
    assert (stage["state"], stage["until"]) == (None, None)
    code, out, err = windlass("status", "dev", "--at", "2026-11-01T14:30+01:00")
    assert code == 0, err
    assert "at 2026-11-01 13:30 UTC:" in out
    assert re.search(r"^dev +3-\w+ +digits", out, re.M), out
    assert "dev: live from 2026-11-01 13:00:00 UTC, until 2026-11-01 14:00:00 UTC" in out
    code, out, err = windlass("status", "--at", "2026-11-01 10:59")
    assert code == 0, err
    assert "dev: nothing was live then; the first deployment came at 2026-11-01 11:00:00 UTC" in out
    assert "stage: nothing was live then, and nothing was promoted since" in out
    assert "at" not in json.loads(windlass("status", "--json")[1])[0]


def test_status_at_a_state_shows_that_state(store: Store, windlass: Run) -> None:
    live = load_current(store, "dev").state
    assert live is not None
    for name in ("6", live.name):
        code, out, err = windlass("status", "dev", "--at", name)
        assert code == 0, err
        assert re.search(rf"^dev +{live.name} +digits", out, re.M), out
        assert "dev: live from 2026-11-01 16:00:00 UTC, and still" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status", "--at", "teatime"], "--at: 'teatime' is not a time; write it like '2026-11-22'"),
        (["status", "--at", "2999-01-01"], "--at: '2999-01-01' is in the future (2999-01-01 00:00 UTC, and it is"),
        (["status", "--at", "3"], "--at: '3' is a state of one environment; name it: windlass status ENV --at 3"),
        (["status", "dev", "--at", "7"], "dev never had a state '7'; its last one is 6-"),
        (["status", "stage", "--at", "1"], "stage never had a state '1'; nothing was promoted to it yet"),
        (["history", "dev", "--since", "2999-01-01"], "--since: '2999-01-01' is in the future"),
    ],
)
def test_a_wrong_time_is_one_sentence(store: Store, windlass: Run, arguments: list[str], words: str) -> None:
    code, out, err = windlass(*arguments)
    assert (code, out) == (2, ""), err
    assert words in err
    assert len(err.strip().splitlines()) == 1


def serials(windlass: Run, *arguments: str) -> list[int]:
    code, out, err = windlass("history", "dev", "--json", *arguments)
    assert code == 0, err
    return [record["serial"] for record in json.loads(out)["records"]]


def test_history_shows_what_is_asked_for(store: Store, windlass: Run) -> None:
    assert serials(windlass) == [6, 5, 4, 3, 2, 1]
    assert serials(windlass, "--limit", "2") == [6, 5]
    assert serials(windlass, "--since", "2026-11-01 14:00") == [6, 5, 4]
    assert serials(windlass, "--project", "letters") == []
    assert serials(windlass, "--project", "digits", "--limit", "1", "--verify") == [6]
    code, out, _ = windlass("history", "dev", "--project", "letters")
    assert (code, out) == (0, "dev: nothing was deployed then\n")
    code, out, _ = windlass("history", "stage", "--verify")
    assert (code, out) == (0, "stage: nothing was deployed yet\n0 records, whole and in order\n0 releases as named\n")


def test_history_verify_names_what_is_wrong_and_exits_with_1(store: Store, windlass: Run) -> None:
    code, out, err = windlass("history", "dev", "--verify", "--deep")
    assert code == 0, err
    live = load_current(store, "dev").state
    assert live is not None
    assert out.endswith(f"6 records, whole and in order\nlive: {live.name}\n3 releases as named\n")
    archive = next(key for key in store.list("dev/releases/"))
    store.put(archive, b"something else")
    assert windlass("history", "dev", "--verify")[0] == 0, "its bytes are looked at with --deep alone"
    code, out, err = windlass("history", "dev", "--deep", "--json")
    assert (code, [fault.partition(" ")[0] for fault in json.loads(out)["faults"]]) == (1, [archive])
    assert f"error: {archive} was altered" in err
    store.put("dev/ledger/2.json", b"\x1b[31m{")
    store.put("dev/state.json", b"{}")
    code, out, err = windlass("history", "dev", "--verify")
    assert (code, "dev/ledger/2.json cannot be read" in err, "dev/state.json is not a state" in err) == (1, True, True)
    assert "whole and in order" not in out
    assert "\x1b" not in out + err


def test_history_without_verify_warns_of_a_missing_record_and_shows_the_others(store: Store, windlass: Run) -> None:
    store.delete("dev/ledger/4.json")
    code, out, err = windlass("history", "dev")
    assert (code, "warning: dev/ledger/4.json is missing" in err) == (0, True)
    assert len(out.splitlines()) == 1 + 5
