"""Runs the `console` blocks of a page one after another in one world, and gives the page with what they show.

`$ command` is run, what follows is what it prints; `# exit code 1` behind a command says that it ends with that. What
others do between the commands is said by `<!-- bob approves !1 -->` and `<!-- $ command -->`. What differs from run to
run is written in one way.
"""

import hashlib
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_PART = re.compile(r"```console\n(?P<block>.*?)```|<!-- (?P<act>\w+ \w+ !\d+) -->|<!-- \$ (?P<hidden>[^\n]*) -->", re.S)
_ENDS = re.compile(r"# exit code (\d+)$")
_HASH = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{16}|[0-9a-f]{12}|[0-9a-f]{8})\b")
_DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")
_NEXT_DAYS = ("2026-11-24", "2026-11-25", "2026-11-26")
_VARIES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\b20\d\d-\d\d-\d\d([ T])\d\d:\d\d(:\d\d)?"), lambda m: f"2026-11-23{m[1]}10:00{':00' * bool(m[2])}"),
    (re.compile(r"\b20\d{6}T\d{6}"), lambda m: "20261123T100000"),
    (re.compile(r"(success +)\d+\.\d +\d+ MB +"), lambda m: f"{m[1]}0.2      13 MB   "),
    (re.compile(r"(success +)\d+\.\d +$", re.M), lambda m: f"{m[1]}0.0"),
    (re.compile(r"\b\d+\.\d +(trained|already there)"), lambda m: f"0.1      {m[1]}"),
    (re.compile(r"\b\d+\.\d seconds"), lambda m: "0.2 seconds"),
    (re.compile(r"verified in \d+ s"), lambda m: "verified in 0 s"),
    (re.compile(r"\d+ files in build"), lambda m: "70 files in build"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), lambda m: "https://gitlab.example.org"),
)

Windlass = Callable[..., tuple[int, str, str]]
"""Runs a command of windlass: exit code, standard output, standard error."""


def _as_always(line: str) -> str:
    """The line with other times in place of those of this run; the next runs of a pipeline keep their hours."""
    if "next runs" in line:
        days = iter(_NEXT_DAYS)
        return _DAY.sub(lambda found: next(days), line)
    for pattern, instead in _VARIES:
        line = pattern.sub(instead, line)
    return line


@dataclass
class Session:
    """Where the page's commands run: `folder` follows `cd`."""

    folder: Path
    windlass: Windlass
    environment: dict[str, str]
    enter: Callable[[Path], None]
    act: Callable[[str], None] = lambda act: None
    seen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.folder

    def shown(self, page: str) -> str:
        """The page with what its commands print."""
        return _PART.sub(self._part, page)

    def _part(self, found: re.Match[str]) -> str:
        if found["act"]:
            self.act(found["act"])
            return found[0]
        if found["hidden"]:
            self._run(found["hidden"])
            return found[0]
        commands = [line for line in found["block"].splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{self._run(line[2:])}" for line in commands) + "```"

    def _run(self, line: str) -> str:
        expected = int(found[1]) if (found := _ENDS.search(line)) else 0
        words = shlex.split(line, comments=True)
        if words[0] == "cd":
            self.folder = self.folder / words[1]
            self.enter(self.folder)
            return ""
        if words[0] == "windlass":
            code, out, err = self.windlass(*words[1:])
        else:
            done = subprocess.run(
                ["sh", "-euc", line], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        assert code == expected, f"{line}: exit code {code}\n{out}{err}"
        errors = "".join(f"{line}\n" for line in err.splitlines() if line.startswith(("error:", "refused:")))
        return self._stable(out + errors * bool(code))

    def _stable(self, text: str) -> str:
        text = text.replace(str(self.home), "~")
        lines = [_as_always(line).rstrip() for line in text.splitlines()]
        return _HASH.sub(lambda found: self._renamed(found[0]), "".join(f"{line}\n" for line in lines))

    def _renamed(self, name: str) -> str:
        if re.fullmatch(r"20\d{6}", name) and name not in self.seen:
            return name  # a day
        number = self.seen.setdefault(name[:8], str(len(self.seen)))
        return hashlib.sha256(number.encode()).hexdigest()[: len(name)]
