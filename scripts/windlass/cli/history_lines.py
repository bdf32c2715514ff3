"""How the entries of a history look: folded below each other on a terminal, one line each in a pipe.

What others wrote into a record is shown as text: no control character, markup or length of it reaches the terminal.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from windlass.delivery.plan.shown import one_line

if TYPE_CHECKING:
    from windlass.delivery.history.entries import Entry
    from windlass.spec.state import Deployment

_LONGEST = 300
_NARROWEST = 6
_GAP = 2
_HEADINGS = ("", "when (UTC)", "what", "release", "from", "by", "approved", "verdict")
_LINE_HEADINGS = (
    "",
    "when (UTC)",
    "what",
    "project",
    "release",
    "from",
    "by",
    "approved",
    "verdict",
    "replaces",
    "job",
)
_STYLES = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


def print_entries(console: Console, entries: Sequence["Entry"]) -> None:
    """Prints the entries in the width of a terminal, where nothing is cut, or as lines of any length."""
    if console.is_terminal:
        _print_folded(console, entries)
    else:
        _print_lines(console, entries)


def approvals(merge_request: Mapping[str, Any] | None) -> tuple[str, str]:
    """The merge request and who approved it: `?` where that is not known, `none` where nobody did."""
    if merge_request is None:
        return "?", ""
    iid, approved = merge_request.get("iid"), merge_request.get("approved_by")
    name = plain(f"!{iid}") if iid is not None else "?"
    if not isinstance(approved, list):
        return name, "?"
    return name, plain(", ".join(str(one) for one in approved)) or "none"


def plain(text: str) -> str:
    """`text` in one line, with the escape of each character that does not print, and an end."""
    shown = one_line(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}… ({len(text)} characters, see --json)"


def _print_folded(console: Console, entries: Sequence["Entry"]) -> None:
    rows = [_cells(entry) for entry in entries]
    widths = [max(_width(cell) for cell in column) for column in zip(_HEADINGS, *rows, strict=True)]
    while sum(widths) + _GAP * (len(widths) - 1) > console.width and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    console.print(_table([_HEADINGS], widths, "bold"))
    for entry, row in zip(entries, rows, strict=True):
        console.print(_table([row], widths, ""))
        details = "; ".join(_details(entry.record.deployment))
        if details:
            indented = Padding(Text(details, style="dim", overflow="fold"), (0, 0, 0, widths[0] + _GAP), expand=False)
            console.print(indented, soft_wrap=False)


def _table(rows: Sequence[Sequence[str]], widths: Sequence[int], style: str) -> Table:
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for width in widths:
        table.add_column(width=width, overflow="fold")
    for *cells, verdict in rows:
        colour = style or _STYLES.get(verdict.partition("\n")[0], "")
        table.add_row(*(Text(cell, style=style) for cell in cells), Text(verdict, style=colour))
    return table


def _width(cell: str) -> int:
    return max(cell_len(line) for line in cell.split("\n"))


def _print_lines(console: Console, entries: Sequence["Entry"]) -> None:
    rows = [_LINE_HEADINGS, *(_line(entry) for entry in entries)]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    whys = ["why", *(plain(entry.record.deployment.reason or "-") for entry in entries)]
    for row, why in zip(rows, whys, strict=True):
        cells = [set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)]
        console.print(Text("  ".join([*cells, why])), soft_wrap=True)


def _cells(entry: "Entry") -> tuple[str, ...]:
    done = entry.record.deployment
    return (
        str(entry.record.serial),
        time_of(done.at)[:16],
        f"{done.action}\n{done.project or 'all'}",
        "\n".join(_subject(done)),
        plain(done.source or "-"),
        plain(done.actor or "?"),
        "\n".join(part for part in _approved(entry) if part),
        "\n".join(_verdict(entry)),
    )


def _line(entry: "Entry") -> tuple[str, ...]:
    done = entry.record.deployment
    replaces = (done.replaces[:12] if done.replaces else "-") + (" (on hold now)" if _held(done) else "")
    subject = _subject(done)
    return (
        str(entry.record.serial),
        time_of(done.at),
        done.action,
        done.project or "all",
        subject[0] if len(subject) == 1 else f"{subject[0]} ({subject[1]})",
        plain(done.source or "-"),
        plain(done.actor or "?"),
        " ".join(part for part in _approved(entry) if part),
        " ".join(_verdict(entry)),
        replaces,
        plain(done.job_url or "-"),
    )


def _details(done: "Deployment") -> list[str]:
    details = [f"replaces {done.replaces[:12]}" + (", on hold now" if _held(done) else "")] if done.replaces else []
    details += [f"job {plain(done.job_url)}"] if done.job_url else []
    return details + ([f"why: {plain(done.reason)}"] if done.reason else [])


def _subject(done: "Deployment") -> tuple[str, ...]:
    """What the change was about: a release by its tag or commit and its digest, a state, or with a hold everything."""
    if done.back_to:
        return (plain(done.back_to),)
    if done.action == "remove":
        return ("taken out",)
    if done.release is None:
        return ("all releases",)
    name = done.tag or (done.commit[:8] if done.commit else None)
    return (plain(name), done.release[:12]) if name else (done.release[:12],)


def _approved(entry: "Entry") -> tuple[str, str]:
    return approvals(entry.about.merge_request) if entry.about else ("-", "")


def _verdict(entry: "Entry") -> tuple[str, ...]:
    verdict = entry.about.verdict if entry.about else None
    return (verdict.result, time_of(verdict.at)[:16]) if verdict else ("-",)


def _held(done: "Deployment") -> bool:
    return done.hold is not None and done.action == "rollback"


def time_of(at: str) -> str:
    """A time stamp as people read it."""
    return plain(at[:19].replace("T", " "))
