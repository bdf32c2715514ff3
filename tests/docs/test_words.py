"""What pages name is there, and what is there is on a page: commands and their options, keys, variables."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from tests.docs.test_pages import PAGES, ROOT
from windlass.cli.main import COMMANDS, windlass
from windlass.spec.environment import Environment

_BLOCK = re.compile(r"^ *```(?:sh|bash|console|text)?\n(.*?)^ *```", re.S | re.M)
_INLINE = re.compile(r"`(windlass [^`\n]+)`")
_ENDS = re.compile(r"\s(?:\||&&|>|\|\||2>|#)\s.*$|\s{3,}.*$")
REFERENCE = ROOT / "docs/commands.md"
ENVIRONMENT_PAGES = [ROOT / f"docs/{name}.md" for name in ("environments", "gate", "jobs", "signing", "ci", "rules")]


def called(page: Path) -> Iterator[str]:
    """Every call of windlass on the page, as it is written."""
    text = page.read_text()
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.strip().removeprefix("$ ").removeprefix('eval "$(').removesuffix(')"')
            if found := re.match(r"(?:[A-Z_]+=\S+ )*(windlass [a-z][^:]*$)", line):
                yield found[1]
    yield from _INLINE.findall(_BLOCK.sub("", text))


def refused(call: str) -> str | None:
    """Why windlass would not know this call; the values of options are not looked at."""
    try:
        words = shlex.split(_ENDS.sub("", call), comments=True)[1:]
    except ValueError:
        return "its quotes do not match"
    command: click.Command = windlass
    context = click.Context(windlass)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        for one in re.split(r"\|", name):
            try:
                found = command.get_command(context, one)
            except ImportError:
                found = None
            if found is None:
                return f"there is no command {one!r}"
        command = found
        context = click.Context(command, parent=context)
    try:
        command.make_parser(context).parse_args([word for word in words if word not in ("...", "|")])
    except click.BadOptionUsage:
        return None  # an option that is named without its value, as in `windlass rollback --reason`
    except click.UsageError as error:
        return error.format_message()
    return None


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != REFERENCE], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_call_of_windlass_on_a_page_is_one_that_it_knows(page: Path) -> None:
    assert {call: why for call in called(page) if (why := refused(call))} == {}


def test_a_call_that_windlass_does_not_know_is_found() -> None:
    assert refused("windlass promot --to dev") == "there is no command 'promot'"
    assert "--too" in (refused("windlass promote --too dev") or "")
    assert "--gone" in (refused("windlass env apply dev --gone") or "")


def test_every_command_is_on_a_page_that_people_read() -> None:
    pages = "".join(page.read_text() for page in PAGES if page != REFERENCE)
    pages = pages.replace(re.search(r"Commands:\n.*?```", pages, re.S)[0], "")  # README's help
    assert [name for name in COMMANDS if f"windlass {name}" not in pages] == []


def test_every_key_of_an_environment_is_on_a_page() -> None:
    pages = "".join(page.read_text() for page in ENVIRONMENT_PAGES)
    missing = [
        key for key in sorted(set(_keys(Environment))) if not re.search(rf"\b{key}\b[`:]|`[\w.]*\b{key}`", pages)
    ]
    assert missing == []


def _keys(noun: type[BaseModel]) -> Iterator[str]:
    for name, field in noun.model_fields.items():
        yield str(field.alias or name)
        for part in _nouns(field.annotation):
            yield from _keys(part)


def _nouns(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _nouns(part)


def test_every_variable_that_windlass_reads_is_on_a_page() -> None:
    """All but those by which windlass talks to git's own processes, and the stand-in to its."""
    sources = [*(ROOT / "scripts/windlass").rglob("*.py"), *(ROOT / "ci").glob("*.yml")]
    sources = [path for path in sources if path.parent.name != "gitlab" and path.name != "git_server.py"]
    read = set(re.findall(r"\bWINDLASS_[A-Z_]*[A-Z]\b", "".join(path.read_text() for path in sources)))
    pages = "".join(page.read_text() for page in PAGES if page != REFERENCE)
    assert sorted(name for name in read if name not in pages) == []
