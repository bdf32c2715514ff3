"""A plan as one page that stands for itself: nothing is fetched for it, nothing in it runs, and all text is text."""

import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from windlass.delivery.plan.changes import code_text, runs_shown, summary
from windlass.delivery.plan.compare import PipelineChange
from windlass.delivery.plan.fields import FieldChange
from windlass.delivery.plan.html_style import STYLE
from windlass.delivery.plan.lines import release_name, remarks
from windlass.delivery.plan.markdown import counts
from windlass.delivery.plan.model_changes import ModelChange
from windlass.delivery.plan.shown import ABSENT, field_name, one_line, short, shown

if TYPE_CHECKING:
    from windlass.delivery.plan.plan import Plan

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_LONGEST = 2_000
_SIGNS = {"added": "+", "removed": "\N{MINUS SIGN}", "changed": "~", "rebuilt": "\N{CLOCKWISE OPEN CIRCLE ARROW}"}
_REFUSED = "refused: "


def plan_html(plan: "Plan") -> str:
    """The page; values are longer in it than elsewhere, and nothing is left out."""
    before = release_name(plan.before) if plan.before else "nothing"
    title = f"{plan.action} {plan.project} to {plan.environment}"
    body = [
        "<header>",
        f"<p class=over>{_text(plan.action)} to <strong>{_text(plan.environment)}</strong></p>",
        f"<h1>{_text(plan.project)} {_impact(plan.changes.impact)}</h1>",
        f"<p class=way><code>{_text(before)}</code> <span class=arrow>&rarr;</span>"
        f" <code>{_text(release_name(plan.after))}</code></p>",
        f"<p class=counts>{_text('nothing to do' if plan.is_done else counts(plan.changes))}</p>",
        "</header>",
        *_refusals(plan),
        *_models(plan.changes.models),
        *_pipelines(plan.changes.pipelines),
        *_settings(plan),
        *_needs(plan),
        *_remarks(plan),
        f"<footer>commit <code>{_text(plan.after.commit)}</code>,"
        f" release <code>{_text(plan.after.release)}</code></footer>",
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{_text(title)}</title>",
            f"<style>\n{STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def _refusals(plan: "Plan") -> Iterator[str]:
    if plan.refusals:
        yield "<section class=refused><h2>Refused</h2><ul>"
        yield from (f"<li>{_text(reason)}</li>" for reason in plan.refusals)
        yield "</ul></section>"


def _models(models: Iterable[ModelChange]) -> Iterator[str]:
    for number, model in enumerate(models):
        if number == 0:
            yield "<section><h2>Models</h2>"
        yield f"<article><h3>{_sign(_kind(model))} {_text(model.name)} {_impact(model.impact)}</h3>"
        yield f"<p><code>{_text(model.versions())}</code></p>"
        rows = list(model.measured())
        if rows:
            yield from _table(("metric", "before", "after", "difference", "gate"), rows, numbers=(1, 2, 3))
        yield "</article>"
    if models:
        yield "</section>"


def _pipelines(pipelines: Iterable[PipelineChange]) -> Iterator[str]:
    for number, pipeline in enumerate(pipelines):
        if number == 0:
            yield "<section><h2>Pipelines</h2>"
        told = [summary(pipeline)]
        if pipeline.fields and pipeline.code:
            told.append(f"other code: {code_text(pipeline.code)}")
        notes = [f"<p>{_text(one)}</p>" for one in told if one]
        notes += [f"<p class=runs>{_text(sign)} next runs: {_text(times)}</p>" for sign, times in runs_shown(pipeline)]
        heading = f"{_sign(pipeline.kind)} {_text(pipeline.name)} {_impact(pipeline.impact)}"
        if pipeline.fields:
            many = f"{len(pipeline.fields)} change{'' if len(pipeline.fields) == 1 else 's'}"
            yield f"<details open><summary><h3>{heading}</h3> <span class=many>{many}</span></summary>"
            yield from notes
            yield from _table(("", "task", "field", "before", "after", "impact"), map(_field, pipeline.fields))
            yield "</details>"
        else:
            yield f"<article><h3>{heading}</h3>"
            yield from notes
            yield "</article>"
    if pipelines:
        yield "</section>"


def _field(field: FieldChange) -> tuple[str, ...]:
    return (
        _SIGNS.get(field.kind, "!"),
        "" if field.task is None else field_name(field.task.split(".")),
        field_name(field.path),
        "" if field.before is ABSENT else shown(field.before),
        "" if field.after is ABSENT else shown(field.after),
        field.impact,
    )


def _settings(plan: "Plan") -> Iterator[str]:
    if plan.changes.settings:
        yield f"<section><h2>Settings of {_text(plan.environment)}</h2>"
        yield "<p>Every pipeline in it is parsed again.</p>"
        rows = [(_SIGNS.get(one.kind, "~"), one.key, one.impact) for one in plan.changes.settings]
        yield from _table(("", "key", "impact"), rows)
        yield "</section>"


def _needs(plan: "Plan") -> Iterator[str]:
    if plan.changes.needs:
        yield "<section><h2>Needs</h2>"
        rows = [(need.what, need.name, need.describe(plan.environment), need.impact) for need in plan.changes.needs]
        yield from _table(("what", "name", "standing", "impact"), rows)
        yield "</section>"


def _remarks(plan: "Plan") -> Iterator[str]:
    told = [remark for remark in remarks(plan) if not remark.startswith(_REFUSED)]
    if told:
        yield "<section><h2>Beside that</h2><ul>"
        yield from (f"<li>{_text(remark)}</li>" for remark in told)
        yield "</ul></section>"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], numbers: tuple[int, ...] = ()) -> Iterator[str]:
    yield "<div class=wide><table><thead><tr>"
    yield "".join(f"<th>{_text(head)}</th>" for head in heads)
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = [
            _cell(head, cell, is_number=i in numbers) for i, (head, cell) in enumerate(zip(heads, row, strict=True))
        ]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def _cell(head: str, value: str, *, is_number: bool) -> str:
    if head == "impact":
        return f"<td>{_impact(value)}</td>"
    named = {"": "mark", "before": "before", "after": "after"}.get(head)
    kind = " class=number" if is_number else f" class={named}" if named else ""
    return f"<td{kind}>{f'<code>{_text(value)}</code>' if value else ''}</td>"


def _impact(impact: str | None) -> str:
    return f"<span class='impact {re.sub('[^a-z]', '', impact)}'>{_text(impact)}</span>" if impact else ""


def _sign(kind: str) -> str:
    return f"<span class='sign {re.sub('[^a-z]', '', kind)}'>{_SIGNS.get(kind, '~')}</span>"


def _kind(model: ModelChange) -> str:
    return "added" if model.before is None else "removed" if model.after is None else "changed"


def _text(value: str) -> str:
    """`value` as text: no character of it is HTML, and none turns the reading direction or hides."""
    return escape(short(one_line(value), _LONGEST))
