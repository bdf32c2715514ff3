"""Plans and comparisons as Markdown for a merge request; no name and no value in them can act as Markdown or HTML.

GitLab looks for `@user`, `#1` and the like in the text after it made HTML, and not inside of code: so everything that
somebody else wrote is code. Commands like `/close` work at the beginning of a line only, and no value begins one.
"""

import re
from collections.abc import Iterable, Iterator

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


def as_markdown(title: str, changes: Changes, environment: str, remarks: Iterable[str] = ()) -> str:
    """A headline with counts, one row for each change, and the fields of each pipeline folded away.

    `title` is Markdown: put what others wrote through `code`.
    """
    lines = [f"### {title}", "", f"**{counts(changes)}**", ""]
    rows = list(_rows(changes, environment))
    if rows:
        lines += ["| | what | how | impact |", "|---|---|---|---|", *rows[:_MOST_ROWS]]
        if len(rows) > _MOST_ROWS:
            lines.append(f"| | {len(rows) - _MOST_ROWS} more | | |")
        lines.append("")
    for number, change in enumerate(change for change in changes.pipelines if change.fields):
        if number < _MOST_ROWS:
            lines += [*_details(change), ""]
    lines += [f"- {code(remark)}" for remark in remarks]
    return "\n".join(lines).rstrip("\n") + "\n"


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
        yield _row(code(sign), f"model {code(model.name)}", code(model.versions() + model.figures()), model.impact)
    if changes.settings:
        keys = "<br>".join(code(change.key) for change in changes.settings)
        impact = highest(change.impact for change in changes.settings)
        yield _row("`~`", f"settings of {code(environment)}", keys, impact or "")
    for need in changes.needs:
        yield _row("`!`", f"{need.what} {code(need.name)}", code(need.describe(environment)), need.impact)


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
