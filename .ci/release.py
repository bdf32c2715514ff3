"""Makes this checkout another version, and says whether it is the version of a tag and what is new in it.

    python .ci/release.py set 0.2.0         the version that is released next; 0.3.0.dev0 goes on after it
    python .ci/release.py notes v0.2.0      what CHANGELOG.md says of it, where the tag, the tool and the CI files agree

It needs nothing but Python: in CI it runs before anything is installed.
"""

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOL, CHANGELOG, TEMPLATES = Path("scripts/windlass/__init__.py"), Path("CHANGELOG.md"), Path("ci")
VERSION = re.compile(r'^__version__ = "(.+)"$', re.M)
HEADING = re.compile(r"^## (\S+) \((.+)\)$", re.M)
DEFAULT = re.compile(r"    platform_ref:\n.*\n      default: (.*)")


class Wrong(Exception):
    """One sentence: which file says what, and what to do."""


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def write(path: Path, content: str) -> None:
    (ROOT / path).write_text(content, encoding="utf-8")


def set_version(version: str) -> None:
    """Writes the version and the changelog's heading; what follows from them is written by tests."""
    found = re.fullmatch(r"(\d+\.\d+\.\d+)(\.dev0)?", version)
    if not found:
        raise Wrong(f"{version!r} is no version: give one like 0.2.0 to release, or 0.3.0.dev0 to go on after it")
    number, development = found.groups()
    heading = HEADING.search(text(CHANGELOG))
    if not heading:
        raise Wrong(f"{CHANGELOG} has no heading like '## {number} (unreleased)'")
    is_open = heading[2] == "unreleased"
    if not development and not is_open:
        raise Wrong(f"{CHANGELOG} begins with {heading[1]}, which is released: write what is new under '(unreleased)'")
    when = "unreleased" if development else f"{datetime.now(UTC):%Y-%m-%d}"
    section = f"## {number} ({when})" + ("" if is_open else f"\n\n{heading[0]}")
    before, after = text(CHANGELOG)[: heading.start()], text(CHANGELOG)[heading.end() :]
    write(CHANGELOG, before + section + after)
    write(TOOL, VERSION.sub(f'__version__ = "{version}"', text(TOOL), count=1))


def notes(tag: str) -> str:
    """The section of the tag's version, with links that lead to the files of the tag."""
    says = {f'{TOOL} says __version__ = "{one}"': f"v{one}" for one in VERSION.findall(text(TOOL))[:1]}
    changelog = text(CHANGELOG)
    headings = list(HEADING.finditer(changelog))
    says |= {f"{CHANGELOG} begins with '{one[0]}'": tag_of(one) for one in headings[:1]}
    for path in sorted((ROOT / TEMPLATES).glob("*.yml")):
        name = path.relative_to(ROOT)
        says |= {f"{name} has the default {one!r} for platform_ref": one for one in DEFAULT.findall(text(name))}
    for said, other in says.items():
        if other != tag:
            raise Wrong(f"{said}, which is not {tag}: make version VERSION={tag.removeprefix('v')}, merge it, tag that")
    end = headings[1].start() if headings[1:] else len(changelog)
    section = changelog[headings[0].end() : end].strip()
    files = f"{os.environ.get('CI_PROJECT_URL', '')}/-/blob/{tag}/"
    return re.sub(r"\]\((?![a-z]+:|#|/)", f"]({files}", section) + "\n"


def tag_of(heading: re.Match[str]) -> str:
    return f"v{heading[1]}" if heading[2] != "unreleased" else "unreleased"


def main(what: str, of: str) -> None:
    if what == "set":
        set_version(of)
    elif what == "notes":
        sys.stdout.write(notes(of))
    else:
        raise Wrong(f"{what!r} is neither 'set' nor 'notes'")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Wrong as error:
        sys.exit(f"error: {error}")
