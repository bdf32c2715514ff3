"""Knows where in a shell script a quoted word stays one word; where that is not certain, it says no."""

import re

_TOO_CLEVER = re.compile(r"<<|\$'|\bcase\s.+?\sin\s", re.S)
"""Here-documents, ANSI quotes and `case`, whose brackets have no partner: quotes cannot be followed in these."""
_CLOSES = {"'": "'", '"': '"', "`": "`", "(": ")", "((": ")", "{": "}"}


class Quoting:
    """Reads a shell script from its beginning and tells whether any word may stand where it has come to."""

    def __init__(self, script: str) -> None:
        self._is_clear = not _TOO_CLEVER.search(script)
        self._open: list[str] = []  # quotes, `$(`, `((` and `${` that are not closed yet
        self._escaped = False
        self._comment = False
        self._before = "\n"

    @property
    def takes_any_word(self) -> bool:
        """Whether a quoted value is one word here: not inside quotes, a comment or arithmetic, nor after \\ or $."""
        plain = not (self._escaped or self._comment or self._before == "$")
        return self._is_clear and plain and all(mark in ("(", "{") for mark in self._open)

    def read(self, text: str) -> None:
        """Goes on over `text`."""
        for character in text:
            if self._comment:
                self._comment = character != "\n"
            elif self._escaped:
                self._escaped, character = False, "x"
            elif character == "\\" and self._innermost != "'":
                self._escaped = True
            elif character == "#" and self._before in " \t\n;&|(" and self._innermost in ("", "("):
                self._comment = True
            else:
                self._open_or_close(character)
            self._before = character

    @property
    def _innermost(self) -> str:
        return self._open[-1] if self._open else ""

    def _open_or_close(self, character: str) -> None:
        innermost = self._innermost
        in_double_quotes = innermost == '"' or (innermost == "{" and '"' in self._open)
        if character == _CLOSES.get(innermost):
            self._open.pop()
        elif innermost == "'":
            return
        elif character in '"`' or (character == "'" and not in_double_quotes):
            self._open.append(character)
        elif character == "(" and (self._before == "$" or innermost not in ('"', "{")):
            self._open.append("((" if self._before == "(" else "(")
        elif character == "{" and self._before == "$":
            self._open.append("{")
