"""Puts values into a shell script so that each of them arrives as exactly one word, whatever is in it."""

import re
import secrets
import shlex
from collections.abc import Mapping
from typing import Any

from .errors import RuntimeStop
from .quoting import Quoting


class Script:
    """A script whose `{name}` are marked first and filled last: a value is never read again as script or placeholder.

    Between the two, a template engine may work on `text`; what it prints, it prints as `mark(value)`.
    Other braces stay as they are: `${HOME}`, `{{ ds }}`, `awk '{print $1}'`.
    """

    def __init__(self, script: str, values: Mapping[str, object]) -> None:
        self._values: dict[str, str] = {}
        self._secret = secrets.token_hex(8)  # nobody who writes a value can guess a mark
        names = "|".join(re.escape(name) for name in sorted(values, key=len, reverse=True))
        pattern = re.compile(rf"(?<![{{$])\{{({names})\}}(?!\}})") if names else None
        self.text = pattern.sub(lambda match: self.mark(values[match[1]]), script) if pattern else script

    def mark(self, value: Any) -> str:
        """A word that stands for `value` until the script is filled."""
        mark = f"windlass_{self._secret}_{len(self._values)}_"
        self._values[mark] = str(value)
        return mark

    def filled(self, text: str) -> str:
        """`text` with each mark replaced by its value, quoted for the shell.

        Inside quotes, comments and here-documents no quoting can be right for every value, so only plain ones are
        taken there.
        """
        parts = re.split(rf"(windlass_{self._secret}_[0-9]+_)", text)
        quoting = Quoting(text)
        filled: list[str] = []
        for part in parts:
            value = self._values.get(part)
            if value is None:
                quoting.read(part)
                filled.append(part)
                continue
            quoted = shlex.quote(value)
            if "\0" in value or (quoted != value and not quoting.takes_any_word):
                raise RuntimeStop(
                    f"execution_script: the value {value[:80]!r} stands inside quotes, a comment or a here-document; "
                    "move it out of them, windlass quotes values itself"
                )
            quoting.read("x")
            filled.append(quoted)
        return "".join(filled)
