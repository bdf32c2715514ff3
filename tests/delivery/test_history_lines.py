"""What a history looks like on a terminal and in a pipe, whatever was written into its records."""

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.delivery.conftest import NOW, World, settings
from windlass.cli.history_lines import approvals, print_entries
from windlass.delivery.history.entries import About, Entry, choose, read_entries
from windlass.delivery.history.ledger import newest_first, read_history
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.perform import Author, perform, timestamp
from windlass.delivery.promotion.survey import deciding_promotion, load_release
from windlass.delivery.verification.verdicts import record_verdict
from windlass.spec.moment import parse_moment
from windlass.spec.release import Provenance, provenance_key
from windlass.spec.state import Deployment, LedgerRecord
from windlass.spec.verdict import Verdict

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
JOB = "https://gitlab.example.com/ocr/digits/-/jobs/1005"
MERGED = {"iid": 12, "title": "More digits", "author": "ann", "url": "u", "approved_by": ["bob", "eve"]}


def entry(deployment: dict[str, Any], merge_request: dict[str, Any] | None = None, serial: int = 41) -> Entry:
    done = {"action": "promote", "project": "digits", "release": "a" * 64, "commit": ONE, "at": timestamp(NOW)}
    record = LedgerRecord(
        serial=serial, state=f"{serial}-0123456789ab", deployment=Deployment(**{**done, **deployment}), previous=None
    )
    verdict = Verdict(result="pass", state="1-0123456789ab", at="2026-11-22T10:03:00Z")
    return Entry(record, About(merge_request, verdict))


def printed(entries: list[Entry], width: int | None = None) -> str:
    """What a terminal of this width gets, or a pipe."""
    file = io.StringIO()
    terminal: dict[str, Any] = {"width": width or 240, "force_terminal": width is not None, "color_system": None}
    print_entries(Console(file=file, highlight=False, soft_wrap=True, **terminal), entries)
    return file.getvalue()


WHOLE = entry(
    {"tag": "v1.2.0", "replaces": "b" * 64, "source": "stage", "actor": "ann", "job_url": JOB}
    | {"reason": "scores drift"},
    MERGED,
)


def test_at_100_columns_nothing_is_cut() -> None:
    lines = [line.rstrip() for line in printed([WHOLE], 100).splitlines()]
    assert lines == [
        "    when (UTC)        what     release       from   by   approved  verdict",
        "41  2026-11-22 10:00  promote  v1.2.0        stage  ann  !12       pass",
        "                      digits   aaaaaaaaaaaa              bob, eve  2026-11-22 10:03",
        f"    replaces bbbbbbbbbbbb; job {JOB}; why: scores drift",
    ]


def test_in_a_pipe_each_record_is_one_line_with_everything() -> None:
    heading, line = (re.split(r"  +", each.strip()) for each in printed([WHOLE]).splitlines())
    assert dict(zip(["", *heading], line, strict=True)) == {
        "": "41",
        "when (UTC)": "2026-11-22 10:00:00",
        "what": "promote",
        "project": "digits",
        "release": "v1.2.0 (aaaaaaaaaaaa)",
        "from": "stage",
        "by": "ann",
        "approved": "!12 bob, eve",
        "verdict": "pass 2026-11-22 10:03",
        "replaces": "bbbbbbbbbbbb",
        "job": JOB,
        "why": "scores drift",
    }


@pytest.mark.parametrize(
    ("merge_request", "shown"),
    [
        (None, ("?", "")),
        (MERGED, ("!12", "bob, eve")),
        ({**MERGED, "approved_by": None}, ("!12", "?")),
        ({**MERGED, "approved_by": []}, ("!12", "none")),
        ({}, ("?", "?")),
        ({"iid": {"x": 1}, "approved_by": [3, None]}, ("!{'x': 1}", "3, None")),
        ({"iid": "\x1b[2J", "approved_by": "bob"}, ("!\\x1b[2J", "?")),
    ],
)
def test_unknown_approvals_are_a_question_mark_and_no_approvals_are_none(
    merge_request: dict[str, Any] | None, shown: tuple[str, str]
) -> None:
    assert approvals(merge_request) == shown


HOSTILE = "\x1b[31m\x9b2J[bold red]x[/]\r\n\t\u202e\u2028\x07" + "y" * 5000


@pytest.mark.parametrize("width", [100, 160, None])
@pytest.mark.parametrize("key", ["tag", "actor", "job_url", "reason", "source", "back_to", "at", "commit"])
def test_forged_text_breaks_neither_table_nor_terminal(key: str, width: int | None) -> None:
    output = printed([entry({key: HOSTILE}), WHOLE], width)
    assert all(one.isprintable() for one in output.replace("\n", "")), "an escape reached the terminal"
    if key != "commit":
        assert "\\x1b[31m" in re.sub(r"\s+", "", output), "it is shown as what it is"
    if key not in ("commit", "at"):
        assert output.count("[") == 3, "markup is text"
    assert len(output) < 5000
    if width:
        assert max(cell_len(line) for line in output.splitlines()) <= width
    else:
        assert len(output.splitlines()) == 3


@examples(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.sampled_from([60, 100, 160]))
def test_no_text_breaks_a_line(text: str, width: int) -> None:
    output = printed([entry({"actor": text, "reason": text, "tag": text, "source": text})], width)
    assert all(one.isprintable() for one in output.replace("\n", ""))
    assert max(cell_len(line) for line in output.splitlines()) <= width


# -- from the store


@pytest.fixture
def delivered(world: World) -> World:
    """stage with a release of unknown origin, one with merge request and verdict, and a rollback to the first."""
    for commit, merge_request in ((ONE, None), (TWO, MERGED)):
        archive = world.publish(commit, {"read": commit})
        record = Provenance(
            project="digits",
            release=archive.digest,
            commit=commit,
            merge_request=merge_request,
            built_at="2026-11-22T09:30:00Z",
            tool_version="0",
        )
        world.store.objects[provenance_key("dev", "digits", archive.digest, commit)] = record.to_json()
        world.promote(archive, commit, "stage")
    passed = Verdict(result="pass", state=world.live().name, at="2026-11-22T10:03:00Z")
    record_verdict(world.place("stage"), "digits", archive.digest, passed)
    first = world.live().deployment.replaces
    assert first is not None
    world.rollback(world.live().projects["digits"].model_copy(update={"release": first, "commit": ONE}), "stage")
    return world


def records(world: World) -> list[LedgerRecord]:
    return list(reversed(read_history(world.store, "stage", check=True).records))


def test_an_entry_knows_source_merge_request_and_verdict(delivered: World) -> None:
    back, second, first = read_entries(delivered.place("stage"), records(delivered))
    assert second.about is not None
    assert second.about.verdict is not None
    assert (second.about.merge_request, second.about.verdict.result) == (MERGED, "pass")
    assert back.about == first.about == About(None, None)
    assert [one.record.deployment.source for one in (back, second, first)] == [None, "dev", "dev"]


def test_each_release_is_looked_up_once_and_only_for_what_is_shown(delivered: World) -> None:
    delivered.store.calls.clear()
    read_entries(delivered.place("stage"), records(delivered)[:2])
    calls = [call for call in delivered.store.calls if "provenance" in call or "verdicts" in call]
    assert len(calls) == 4
    delivered.store.calls.clear()
    first = newest_first(delivered.store, "stage", delivered.live(), at_once=2)
    assert len(choose((record for _, record in first), None, None, 2)[0]) == 2
    assert len([call for call in delivered.store.calls if "/ledger/" in call]) == 2


def test_damaged_provenance_and_verdicts_are_told_and_the_history_is_shown(delivered: World) -> None:
    for key in delivered.store.objects:
        if key.startswith(("stage/provenance/", "stage/verdicts/")):
            delivered.store.objects[key] = b"\x1b{"
    entries = read_entries(delivered.place("stage"), records(delivered))
    assert len(entries) == 3
    told = {fault for one in entries if one.about for fault in one.about.faults}
    assert len(told) == 3
    assert all("cannot be read" in fault for fault in told)


def test_records_are_chosen_by_project_time_and_number(delivered: World) -> None:
    letters = delivered.publish(THREE, {"sort": "x"}, project="letters")
    release = load_release(delivered.place("dev"), "letters", letters.digest)
    places = delivered.place("dev"), delivered.place("stage")
    decide = deciding_promotion(*places, settings("stage"), release, Origin(THREE))
    perform(decide, *places, Author(), clock=delivered.clock)
    found = records(delivered)
    assert [record.serial for record in choose(found, "letters", None, 9)[0]] == [4]
    assert [record.serial for record in choose(found, "digits", None, 2)[0]] == [3, 2]
    later = parse_moment("2026-11-22 10:01", NOW)
    assert choose(found, None, later, 9) == ([], [])
    assert choose(["x is missing", *found], None, parse_moment("now", NOW), 1) == (found[:1], ["x is missing"])
