"""Puts values into SQL so that none of them can become a part of the statement."""

import re
import secrets
from typing import Any

from .errors import RuntimeStop

_TOKENS = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<dollar>(?<!\w)\$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$)"
    # a text may go on in the next line, with backslashes as in its first part
    r"|(?P<escaped>(?<!\w)[eE]'(?:[^'\\]|\\.|'')*'(?:(?:\s|--[^\n]*\n)+'(?:[^'\\]|\\.|'')*')*)"
    r"|(?P<name>\"(?:[^\"]|\"\")*\")"
    r"|(?P<text>'(?:[^']|'')*')",
    re.S,
)
_WORDS = re.compile(r"[\w.]+(, ?[\w.]+)*", re.A)
_NEGATIVE = re.compile(r"-[0-9]+(\.[0-9]+)?", re.A)
_TRANSACTION = re.compile(
    r"(?:^|;)\s*(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction)\b", re.I
)


class SqlText:
    """SQL into which a template engine prints each value as `mark(value)`; `filled` puts the values in last."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._secret = secrets.token_hex(8)  # nobody who writes a value can guess a mark
        self._marks = re.compile(rf"windlass_{self._secret}_[0-9]+_")

    def mark(self, value: Any) -> str:
        """A word that stands for `value` until the text is filled."""
        mark = f"windlass_{self._secret}_{len(self._values)}_"
        self._values[mark] = str(value)
        return mark

    def filled(self, text: str) -> str:
        """`text` with each mark replaced by its value.

        Inside '...' a value may be anything: it stays inside. Elsewhere it must be a number or words with commas.
        """
        filled, at = [], 0
        is_clear = "/*" not in "".join(match[0][2:] for match in _TOKENS.finditer(text) if match["comment"])
        for match in _TOKENS.finditer(text):
            filled.append(self._replaced(text[at : match.start()], quoted=False))
            filled.append(self._replaced(match[0], quoted=match["text"] is not None and is_clear))
            at = match.end()
        return "".join([*filled, self._replaced(text[at:], quoted=False)])

    def _replaced(self, text: str, *, quoted: bool) -> str:
        return self._marks.sub(lambda match: _value(self._values[match[0]], quoted=quoted), text)


def one_query(text: str) -> str:
    """`text` without the `;` at its end; RuntimeStop when it holds more than one statement."""
    code = _TOKENS.sub(lambda match: (" " if match["comment"] else "x") * len(match[0]), text)
    query, _, rest = code.partition(";")
    if rest.strip(" \t\r\n;"):
        raise RuntimeStop("sql must be one query; statements that change something belong into the operator sql")
    return text[: len(query)]


def check_one_transaction(text: str) -> None:
    """RuntimeStop when `text` begins or ends a transaction itself."""
    code = _TOKENS.sub(lambda match: " " if match["comment"] else "x", text)
    if match := _TRANSACTION.search(code):
        raise RuntimeStop(
            f"sql: {' '.join(match[1].upper().split())} is not for the statements to say: they run in one transaction, "
            "which ends well when the task does"
        )


def _value(value: str, *, quoted: bool) -> str:
    if quoted and "\0" not in value:
        return value.replace("'", "''")
    if _WORDS.fullmatch(value):
        return value
    if _NEGATIVE.fullmatch(value):
        return f" {value}"  # after a minus it would begin a comment
    raise RuntimeStop(f"sql: the value {value[:80]!r} stands outside of '...'; write the quotes around its template")
