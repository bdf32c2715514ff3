"""Plans and comparisons as Markdown for a merge request; no name and no value in them can act as Markdown or HTML.

GitLab looks for `@user`, `#1` and the like in the text after it made HTML, and not inside of code: so everything that
somebody else wrote is code. Commands like `/close` work at the beginning of a line only, and no value begins one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from windlass.delivery.plan.changes import Changes, code_text, runs_shown, summary
from windlass.delivery.plan.compare import PipelineChange
from windlass.delivery.plan.fields import FieldChange
from windlass.delivery.plan.impact import Kind, highest
from windlass.delivery.plan.shown import ABSENT, field_name, one_line, pair, short

_HARMLESS = re.compile(r"(?! )[A-Za-z0-9_ .,:;/=+*>?!%~^(){}\[\]\"'…-]*(?<! )")
"""What a code span may hold as it is; not what ends it or its cell, nor what could begin HTML or a reference."""
_MOST_ROWS = 200
_MOST_FIELDS = 100
_LONGEST = 200
_NO_LIMIT = 10**9
_SPARE = 200
"""Characters for the line that says what was left out."""
_CHANGES = ("| | what | how | impact |", "|---|---|---|---|")
_METRICS = ("| model | metric | before | after | difference | gate |", "|---|---|---|---|---|---|")


def as_markdown(
    title: str,
    changes: Changes,
    environment: str,
    remarks: Iterable[str] = (),
    *,
    longest: int = _NO_LIMIT,
    elsewhere: str = "",
) -> str:
    """A headline with counts, one row for each change, metrics of models, and fields of each pipeline folded away.

    `title` is Markdown: put what others wrote through `code`. Of what would be longer than `longest` characters whole
    rows and whole pipelines are left out, which the text says, and where else they are: `elsewhere`, Markdown too.
    """
    head = [f"### {title}", "", f"**{counts(changes)}**", ""]
    room = _Room(longest - _length(head) - len(elsewhere) - _SPARE)
    tail = _told(list(remarks), _Room(room.left // 2))
    room.left -= _length(tail)
    body = [
        *_table(_CHANGES, list(_rows(changes, environment)), room),
        *_table(_METRICS, list(_measured(changes)), room),
    ]
    folded = [change for change in changes.pipelines if change.fields]
    is_whole = len(folded) <= _MOST_ROWS
    for change in folded[:_MOST_ROWS]:
        if not room.is_left():
            break
        block = [*_details(change), ""]
        body += block if room.has(block) else []
    if room.is_short or not is_whole:
        body += [f"**Not all of it is shown here**{elsewhere}", ""]
    return "\n".join([*head, *body, *tail]).rstrip("\n") + "\n"


def _told(remarks: list[str], room: "_Room") -> list[str]:
    lines = (f"- {code(remark)}" for remark in remarks[:_MOST_ROWS])
    shown = list(takewhile(lambda line: room.has([line]), lines))
    return [*shown, *([f"- {len(remarks) - len(shown)} more"] if len(shown) < len(remarks) else [])]


@dataclass
class _Room:
    """How many characters there are still; `is_short` when something found no room."""

    left: int
    is_short: bool = False

    def is_left(self) -> bool:
        """Whether it is worth to make more lines."""
        self.is_short = self.is_short or self.left < _SPARE
        return self.left >= _SPARE

    def has(self, lines: list[str]) -> bool:
        """Takes the room that `lines` need, if there is as much."""
        length = _length(lines)
        if length > self.left:
            self.is_short = True
            return False
        self.left -= length
        return True


def _length(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _table(head: tuple[str, str], rows: list[str], room: _Room) -> list[str]:
    """The first rows that find room, and how many more there are."""
    if not rows or not room.has([*head, "", _row(*[" " * 9] * 6)]):
        return []
    shown = list(takewhile(lambda row: room.has([row]), rows[:_MOST_ROWS]))
    more = len(rows) - len(shown)
    cells = head[0].count("|") - 1
    return [*head, *shown, *([_row("", f"{more} more", *[""] * (cells - 2))] if more else []), ""]


def counts(changes: Changes) -> str:
    """`2 added, 1 changed: breaking`, or that nothing differs."""
    kinds: tuple[Kind, ...] = ("added", "removed", "changed", "rebuilt")
    numbers = [(len(changes.named(kind)), f"pipeline{{}} {kind}") for kind in kinds]
    numbers += [(len(changes.models), "model{}"), (len(changes.settings), "setting{}"), (len(changes.needs), "need{}")]
    shown = [f"{number} {words.format('' if number == 1 else 's')}" for number, words in numbers if number]
    return f"{', '.join(shown)}: {changes.impact}" if shown else "no pipeline, model or setting changes"


def code(value: str) -> str:
    """`value` as code: what it looks like is what it is."""
    text = short(one_line(value), _LONGEST)
    return f"`{text}`" if text and _HARMLESS.fullmatch(text) else _code_html(text)


def _rows(changes: Changes, environment: str) -> Iterator[str]:
    for pipeline in changes.pipelines:
        how = [summary(pipeline), _fields(pipeline)]
        how += [f"{sign} next runs: {times}" for sign, times in runs_shown(pipeline)]
        if pipeline.fields and pipeline.code:
            how.append(f"other code: {code_text(pipeline.code)}")
        told = "<br>".join(code(part) for part in how if part)
        yield _row(_sign(pipeline.kind), f"pipeline {code(pipeline.name)}", told, pipeline.impact)
    for model in changes.models:
        sign = "+" if model.before is None else "-" if model.after is None else "~"
        yield _row(code(sign), f"model {code(model.name)}", code(model.versions()), model.impact)
    if changes.settings:
        keys = "<br>".join(code(change.key) for change in changes.settings)
        impact = highest(change.impact for change in changes.settings)
        yield _row("`~`", f"settings of {code(environment)}", keys, impact or "")
    for need in changes.needs:
        yield _row("`!`", f"{need.what} {code(need.name)}", code(need.describe(environment)), need.impact)


def _measured(changes: Changes) -> Iterator[str]:
    """A row for each metric of each model."""
    for model in changes.models:
        for figures in model.measured():
            yield _row(code(model.name), *(code(figure) if figure else "" for figure in figures))


def _fields(pipeline: PipelineChange) -> str:
    number = len(pipeline.fields)
    return f"{number} change{'' if number == 1 else 's'}" if number else ""


def _details(pipeline: PipelineChange) -> Iterator[str]:
    yield f"<details><summary>pipeline {_code_html(one_line(pipeline.name))}: {_fields(pipeline)}</summary>"
    yield ""
    yield "| | task | field | before | after | impact |"
    yield "|---|---|---|---|---|---|"
    yield from (_field_row(field) for field in pipeline.fields[:_MOST_FIELDS])
    if len(pipeline.fields) > _MOST_FIELDS:
        yield _row("", f"{len(pipeline.fields) - _MOST_FIELDS} more", "", "", "", "")
    yield ""
    yield "</details>"


def _field_row(field: FieldChange) -> str:
    before, after = pair(field.before, field.after)
    cells = [
        "" if field.task is None else code(field_name(field.task.split("."))),
        code(field_name(field.path)) if field.path else "",
        "" if field.before is ABSENT else code(before),
        "" if field.after is ABSENT else code(after),
    ]
    return _row(_sign(field.kind), *cells, field.impact)


def _code_html(text: str) -> str:
    """Code in a place where only HTML is read, too: every sign is a number."""
    return f"<code>{''.join(one if one.isalnum() or one == ' ' else f'&#{ord(one)};' for one in text)}</code>"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _sign(kind: str) -> str:
    return {"added": "`+`", "removed": "`-`"}.get(kind, "`~`")
