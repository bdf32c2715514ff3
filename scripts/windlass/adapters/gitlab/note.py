"""One note in a merge request, found again by a mark that nobody sees, and written again in its place.

Only notes of the token's own user count, so nobody can have windlass write over, or believe, a note of somebody else.
"""

import re
from functools import partial
from typing import Any, Literal

from gitlab.exceptions import GitlabError

from windlass.adapters.gitlab.connection import Connection
from windlass.spec.errors import TransientError

LONGEST = 1_000_000
"""Characters: GitLab refuses a longer note."""
_ATTEMPTS = 3
_WHAT = "a note"
_PIPELINE = re.compile(r"<!-- windlass:pipeline:([0-9]{1,18}) -->")

Kept = Literal["made", "updated", "unchanged", "newer"]


def note_text(mark: str, pipeline: int, markdown: str) -> str:
    """`markdown` below the mark, and the pipeline that wrote it."""
    return f"{_first_line(mark)}\n<!-- windlass:pipeline:{pipeline} -->\n\n{markdown}"


def keep_note(connection: Connection, iid: int, mark: str, pipeline: int, markdown: str) -> Kept:
    """Makes the note, or writes it again; `newer`: a later pipeline has written it, and its words stay.

    Two pipelines that begin at the same time may both make one: each looks once more afterwards, the oldest note
    stays, with the words of the latest pipeline, and the others go.
    """
    text = note_text(mark, pipeline, markdown)
    notes = connection.project.mergerequests.get(iid, lazy=True).notes
    user = _own_user(connection)
    seen: list[Any] = []

    def find() -> Any | None:
        seen[:] = _own_notes(notes, user, mark)
        return seen[0] if seen else None

    def create() -> Any:
        return notes.create({"body": text}, obey_rate_limit=False)

    with connection.understood(_WHAT):
        for _ in range(_ATTEMPTS):
            made, is_new = connection.make(_WHAT, find, create)
            if is_new:
                connection.ask(_WHAT, find)
            every = seen or [made]
            latest = max((str(one.body) for one in every), key=_pipeline_of)
            wanted = latest if _pipeline_of(latest) > pipeline else text
            has_changed = str(every[0].body).strip() != wanted.strip()
            if has_changed and not connection.ask(_WHAT, partial(_write, notes, every[0].id, wanted)):
                continue
            for other in every[1:]:
                connection.ask(_WHAT, partial(_remove, notes, other.id))
            if wanted != text:
                return "newer"
            return "updated" if has_changed else "made" if is_new else "unchanged"
    raise TransientError(f"merge request !{iid}: its note is taken away all the time; try again in a moment")


def _own_user(connection: Connection) -> int:
    what = "the user of this token"
    with connection.understood(what):
        return int(connection.get(what, "/user")["id"])


def _own_notes(notes: Any, user: int, mark: str) -> list[Any]:
    """The user's notes with the mark in their first line, oldest first, from however many pages.

    GitLab leaves notes out of a page that this user may not see: only its links tell whether there is another page.
    """
    every = notes.list(iterator=True, per_page=100, order_by="created_at", sort="asc", obey_rate_limit=False)
    own = [one for one in every if _is_own(one.attributes, user, mark)]
    return sorted(own, key=lambda one: int(one.id))


def _is_own(note: dict[str, Any], user: int, mark: str) -> bool:
    lines = str(note["body"]).splitlines()
    return not note.get("system") and note["author"]["id"] == user and lines[:1] == [_first_line(mark)]


def _first_line(mark: str) -> str:
    return f"<!-- windlass:{mark} -->"


def _pipeline_of(text: str) -> int:
    """The pipeline that wrote the note; 0 where its second line does not say."""
    found = _PIPELINE.fullmatch("".join(text.splitlines()[1:2]))
    return int(found[1]) if found else 0


def _write(notes: Any, number: int, text: str) -> bool:
    """Writes the note; False when somebody took it away meanwhile."""
    try:
        notes.update(number, {"body": text}, obey_rate_limit=False)
    except GitlabError as error:
        if error.response_code != 404:
            raise
        return False
    return True


def _remove(notes: Any, number: int) -> None:
    try:
        notes.delete(number, obey_rate_limit=False)
    except GitlabError as error:
        if error.response_code != 404:  # somebody else removed it at the same time
            raise
