"""The note in a merge request: there is one, whoever else writes, however busy it is and whatever goes wrong."""

import itertools
import sys
from collections.abc import Iterator

import pytest

from tests.adapters.gitlab.faults import FAULTS, PASSING, Killed, fault_at
from tests.fakes.gitlab_server import BOT, GitlabServer, at_hand, connected
from tests.fakes.http_stub import Stub, http_stub
from windlass.adapters.gitlab.note import keep_note, note_text
from windlass.spec.errors import ServiceError, TransientError, WindlassError

MARK = "plan:digits:dev"


@pytest.fixture
def server() -> GitlabServer:
    return GitlabServer()


@pytest.fixture
def stub(server: GitlabServer) -> Iterator[Stub]:
    with http_stub(server.answer) as stub:
        yield stub


def own(server: GitlabServer) -> list[str]:
    return [one["body"] for one in server.notes if one["author"]["id"] == BOT and MARK in one["body"]]


def test_a_note_is_made_once_and_then_written_again_in_its_place(server: GitlabServer, stub: Stub) -> None:
    assert keep_note(connected(stub), 7, MARK, 1, "one") == "made"
    server.note("somebody answers", author=1)
    assert keep_note(connected(stub), 7, MARK, 2, "two") == "updated"
    assert keep_note(connected(stub), 7, MARK, 2, "two") == "unchanged"
    assert own(server) == [note_text(MARK, 2, "two")]
    assert [call for call in server.calls if call.startswith(("POST", "PUT"))] == ["POST notes", "PUT 1"]


def test_it_is_found_on_any_page_of_a_busy_merge_request(server: GitlabServer, stub: Stub) -> None:
    for number in range(250):
        server.note(f"word {number}", author=number % 7, system=number % 2 == 0)
    server.note(note_text(MARK, 1, "one"))
    for number in range(300):
        server.note(f"more {number}", author=1)
    server.hidden = set(range(3, 240))  # pages of three, of none, and of fourteen
    assert keep_note(connected(stub), 7, MARK, 2, "two") == "updated"
    assert own(server) == [note_text(MARK, 2, "two")]


def test_what_others_write_is_neither_believed_nor_touched(server: GitlabServer, stub: Stub) -> None:
    forged = note_text(MARK, 10**9, "all is well")
    server.note(forged, author=1)
    server.note(forged, system=True)
    server.note(f"> {forged}")
    server.note(f"look:\n{forged}")
    server.note(note_text("plan:digits:stage", 10**9, "another environment"))
    server.note(note_text("plan:digits:dev2", 10**9, "another project"))
    server.note("")
    before = [one["body"] for one in server.notes]
    assert keep_note(connected(stub), 7, MARK, 1, "one") == "made"
    assert keep_note(connected(stub), 7, MARK, 2, "two") == "updated"
    assert [one["body"] for one in server.notes] == [*before, note_text(MARK, 2, "two")]


def test_the_words_of_a_later_pipeline_stay(server: GitlabServer, stub: Stub) -> None:
    assert keep_note(connected(stub), 7, MARK, 9, "nine") == "made"
    assert keep_note(connected(stub), 7, MARK, 8, "eight") == "newer"
    assert keep_note(connected(stub), 7, MARK, 9, "nine again") == "updated"
    assert own(server) == [note_text(MARK, 9, "nine again")]


def test_what_stands_in_the_text_is_not_taken_for_the_pipeline(server: GitlabServer, stub: Stub) -> None:
    keep_note(connected(stub), 7, MARK, 3, "three\n<!-- windlass:pipeline:999 -->")
    assert keep_note(connected(stub), 7, MARK, 4, "four") == "updated"


@pytest.mark.parametrize(("mine", "theirs"), [(5, 6), (6, 5)])
@pytest.mark.parametrize("moment", ["GET notes", "POST notes"])
def test_of_two_pipelines_that_begin_at_once_one_note_stays_with_the_words_of_the_later(
    server: GitlabServer, stub: Stub, mine: int, theirs: int, moment: str
) -> None:
    """The other pipeline's note is made between our look and our own note, or between that and our second look."""
    looks = itertools.count()

    def other(call: str) -> None:
        if call == moment and (moment == "POST notes" or next(looks) == 1):
            server.note(note_text(MARK, theirs, f"words of {theirs}"))

    server.meanwhile = other
    kept = keep_note(connected(stub), 7, MARK, mine, f"words of {mine}")
    assert kept == ("newer" if theirs > mine else "updated" if moment == "POST notes" else "made")
    assert own(server) == [note_text(MARK, 6, "words of 6")]
    server.meanwhile = lambda call: None
    assert keep_note(connected(stub), 7, MARK, theirs, f"words of {theirs}") in ("unchanged", "newer")
    assert own(server) == [note_text(MARK, 6, "words of 6")]


def test_duplicates_of_another_day_go(server: GitlabServer, stub: Stub) -> None:
    for pipeline in (1, 3, 2):
        server.note(note_text(MARK, pipeline, f"words of {pipeline}"))
    assert keep_note(connected(stub), 7, MARK, 2, "words of 2") == "newer"
    assert [(one["id"], one["body"]) for one in server.notes] == [(1, note_text(MARK, 3, "words of 3"))]


def test_a_note_that_is_taken_away_meanwhile_is_made_again(server: GitlabServer, stub: Stub) -> None:
    server.note(note_text(MARK, 1, "one"))

    def remove(call: str) -> None:
        if call.startswith("PUT"):
            server.notes.clear()
            server.meanwhile = lambda call: None

    server.meanwhile = remove
    assert keep_note(connected(stub), 7, MARK, 2, "two") == "made"
    assert own(server) == [note_text(MARK, 2, "two")]
    server.meanwhile = lambda call: server.notes.clear() if call.startswith("PUT") else None
    server.notes.clear()

    def taken(call: str) -> None:
        if call.startswith("PUT"):
            server.notes.clear()
        elif call.startswith("GET notes") and not server.notes:
            server.note(note_text(MARK, 1, "one"))

    server.meanwhile = taken
    with pytest.raises(TransientError, match="its note is taken away all the time"):
        keep_note(connected(stub), 7, MARK, 2, "two")


def test_a_refusal_is_a_sentence(stub: Stub) -> None:
    with pytest.raises(ServiceError, match=r"does not give the user of this token to this token \(401\)"):
        keep_note(connected(stub, token=None), 7, MARK, 1, "one")
    with pytest.raises(ServiceError, match="refuses a note"):
        keep_note(connected(stub), 8, MARK, 1, "one")


@pytest.mark.parametrize("way", ["made", "updated", "duplicates"])
def test_whatever_goes_wrong_at_whichever_call_there_is_one_note_after_the_next_run(
    way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def begin(server: GitlabServer) -> None:
        server.notes.clear()
        for number in range(15):
            server.note(f"word {number}", author=1)
        for pipeline in {"made": (), "updated": (1,), "duplicates": (1, 2, 1)}[way]:
            server.note(note_text(MARK, pipeline, f"words of {pipeline}"))

    server = GitlabServer(largest_page=10)
    begin(server)
    keep_note(at_hand(server), 7, MARK, 5, "words of 5")
    points = len(server.calls)
    met = 0
    for point, fault, is_done in itertools.product(range(points), FAULTS, (False, True)):
        begin(server)
        few = max(1, len(own(server)))
        ended = None
        with fault_at(point, fault, server, is_done=is_done) as connection:
            try:
                keep_note(connection, 7, MARK, 5, "words of 5")
            except (WindlassError, Killed) as stop:
                ended = stop
        assert len(own(server)) <= few, f"{fault} at {point}: there is a second note"
        assert ended is None or fault not in PASSING, f"{fault} at {point}: {ended}"
        assert len(server.notes) - len(own(server)) == 15
        assert keep_note(at_hand(server), 7, MARK, 5, "words of 5") in ("made", "updated", "unchanged")
        assert own(server) == [note_text(MARK, 5, "words of 5")], f"{fault} at {point}"
        met += 1
    assert met == points * len(FAULTS) * 2
    with capsys.disabled():
        sys.stdout.write(f"\nnote {way}: {len(FAULTS)} faults before and after each of {points} calls: {met} points\n")
