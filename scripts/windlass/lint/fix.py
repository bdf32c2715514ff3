"""Makes the edits that problems carry, as the smallest changes of the text: everything else stays byte for byte."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from shutil import copymode
from tempfile import NamedTemporaryFile

from windlass.lint.secrets import may_show_secret
from windlass.spec.document import parse_document
from windlass.spec.errors import WindlassError
from windlass.spec.problem import Problem

_ROUNDS = 10
"""One correction may show the next problem; no file takes more rounds than this."""


@dataclass(frozen=True)
class Correction:
    """A file, its path for people, what it says and what it should say."""

    file: Path
    path: str
    before: str
    after: str


Check = Callable[[Mapping[str, bytes]], Sequence[Problem]]
"""The problems of a project in which some files, by their paths, were changed."""


def fixed(texts: Mapping[str, str], check: Check) -> dict[str, str]:
    """The new text of each file that has something to correct; corrected once more it stays as it is.

    `texts` are the files as they are, `check` says what is wrong once some are changed.
    """
    now = dict(texts)
    for _ in range(_ROUNDS):
        changed = {path: text.encode() for path, text in now.items() if text != texts[path]}
        problems = check(changed)
        before = now
        now = {path: _edited(path, text, problems) for path, text in now.items()}
        if now == before:
            break
    return {path: text for path, text in now.items() if text != texts[path]}


def _edited(path: str, text: str, problems: Iterable[Problem]) -> str:
    """The text with the edits of its problems; as it was where the result would be worse YAML than before."""
    by_place: dict[tuple[int, int], list[Problem]] = {}
    for problem in problems:
        if problem.path == path:
            by_place.setdefault((problem.line, problem.column), []).append(problem)
    lines = text.split("\n")
    for (line, column), found in sorted(by_place.items(), reverse=True):
        edit = _edit(found)
        if edit is None or line > len(lines):
            continue
        content, start = lines[line - 1], column - 1
        if line == 1 and content.startswith("\ufeff"):
            start += 1  # no column: nobody sees the mark with which some editors begin a file
        end = start + len(edit[0])
        if content[start:end] == edit[0] and not content[end : end + 1].isalnum():
            lines[line - 1] = content[:start] + edit[1] + content[end:]
    result = "\n".join(lines)
    return result if result == text or _is_sound(path, text, result) else text


def _edit(found: Sequence[Problem]) -> tuple[str, str] | None:
    """The one edit for a place: what two problems of it want is done when they want the same, or one more exactly."""
    edits = {(problem.edit.old, problem.edit.new) for problem in found if problem.edit}
    surprised = [problem for problem in found if problem.rule == "yaml-surprise"]
    others = [problem for problem in found if problem.rule != "yaml-surprise"]
    if surprised and others:  # quotes would not make the value one that fits
        edits = {(problem.edit.old, problem.edit.new) for problem in others if problem.edit}
    return edits.pop() if len(edits) == 1 else None


def _is_sound(path: str, before: str, after: str) -> bool:
    old, new = parse_document(path, before.encode()), parse_document(path, after.encode())
    return len(new.problems) <= len(old.problems) and (new.value is None) == (old.value is None)


def difference(corrections: Iterable[Correction]) -> str:
    """The changed lines as a unified diff without lines around them; lines that may hold a secret are not shown."""
    shown = []
    for one in corrections:
        old, new = one.before.split("\n"), one.after.split("\n")
        for line in unified_diff(old, new, f"a/{one.path}", f"b/{one.path}", n=0, lineterm=""):
            shown.append(f"{line[:1]}(a line with a secret)" if may_show_secret(line) else line.rstrip("\r"))
    return "".join(f"{line}\n" for line in shown)


def write(correction: Correction) -> None:
    """Puts the corrected text in the file's place at once; WindlassError where the file is another one by now."""
    file = correction.file.resolve()
    try:
        if file.read_bytes() != correction.before.encode():
            raise WindlassError(f"{correction.path} was changed in the meantime; run windlass lint --fix again")
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as aside:
            aside.write(correction.after.encode())
        copymode(file, aside.name)
        Path(aside.name).replace(file)
    except OSError as error:
        raise WindlassError(f"{correction.path} cannot be written: {error.strerror}") from error
