"""README and reference pages say what the tool says: their blocks are made again and compared."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.test_templates import variables
from windlass.cli.main import COMMANDS
from windlass.spec import errors

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "examples/digits/README.md"]
ACTIONS = {"stack": ("up", "down", "status", "env"), "env": ("diff", "apply", "bundles")}
Compare = Callable[[Path, str], None]


def windlass(*arguments: str, folder: Path = ROOT, columns: int = 110) -> str:
    command = [str(Path(sys.executable).parent / "windlass"), *arguments]
    environment = os.environ | {"COLUMNS": str(columns), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert "Traceback" not in done.stderr
    return done.stdout


EVERY_HELP = """
import io, json, sys
from contextlib import redirect_stdout
from windlass.cli.main import windlass
pages = {}
for command in json.loads(sys.argv[1]):
    with redirect_stdout(io.StringIO()) as shown:
        windlass.main([*command, "--help"], prog_name="windlass", standalone_mode=False)
    pages[" ".join(command)] = shown.getvalue()
print(json.dumps(pages))
"""


@cache
def help_pages() -> dict[str, str]:
    """What `windlass COMMAND --help` prints, by command: all in one process, in which no test called a command."""
    commands = [[], *([name] for name in COMMANDS)]
    commands += [[name, action] for name, actions in ACTIONS.items() for action in actions]
    environment = os.environ | {"COLUMNS": "110", "LC_ALL": "C.UTF-8"}
    script = [sys.executable, "-c", EVERY_HELP, json.dumps(commands)]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, env=environment, check=True)
    pages: dict[str, str] = json.loads(done.stdout)
    return pages


def help_of(*command: str) -> str:
    return help_pages()[" ".join(command)]


def with_block(page: str, after: str, content: str) -> str:
    """`page` with the text block that follows the words `after` replaced."""
    head, found, tail = page.partition(after)
    assert found, f"the page has no {after!r}"
    return head + found + re.sub(r"```text\n.*?```", lambda _: f"```text\n{content}```", tail, count=1, flags=re.S)


def test_the_broken_pipeline_on_the_first_screen_gets_the_findings_shown(
    tmp_path: Path, compare_golden: Compare
) -> None:
    page = README.read_text()
    match = re.search(r"```yaml\n# (pipelines/\w+\.yml)\n.*?```", page, re.S)
    assert match is not None
    path = tmp_path / match[1]
    path.parent.mkdir()
    path.write_text(match[0].removeprefix("```yaml\n").removesuffix("```"))
    findings = windlass("lint", "--environments", str(ROOT / "environments"), folder=tmp_path)
    assert findings.count("[") > 4
    compare_golden(README, with_block(page, "executes nothing of the file:", findings))


def test_the_help_on_the_first_page_is_the_help_of_the_command(compare_golden: Compare) -> None:
    shown = windlass("--help")
    assert shown == help_of()
    compare_golden(README, with_block(README.read_text(), "## The command line", shown))


def test_no_sentence_of_the_list_of_commands_is_cut_on_a_narrow_terminal() -> None:
    lines = windlass("--help", columns=80).partition("Commands:\n")[2].splitlines()
    assert len(lines) == len(COMMANDS)
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


def test_the_reference_of_commands_is_their_help(compare_golden: Compare) -> None:
    parts = ["# Commands\n\nWhat `windlass COMMAND --help` prints, page by page.\n"]
    for name in COMMANDS:
        parts.append(f"## {name}\n\n```text\n{help_of(name)}```\n")
        for action in ACTIONS.get(name, ()):
            parts.append(f"### {name} {action}\n\n```text\n{help_of(name, action)}```\n")
    compare_golden(ROOT / "docs/commands.md", "\n".join(parts))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    text = help_of(name)
    assert re.search(rf"Examples:\n\s+(eval \"\$\()?windlass {name}", text), text


def test_every_exit_code_is_documented() -> None:
    kinds = [errors.WindlassError, *errors.WindlassError.__subclasses__()]
    for code in {kind.exit_code for kind in kinds} | {0, 1, 70}:
        assert re.search(rf"^\| {code} \|", README.read_text(), re.M)


def test_the_reference_of_ci_inputs_is_what_the_files_declare(compare_golden: Compare) -> None:
    page = (ROOT / "docs/ci.md").read_text()
    head, marker, _ = page.partition("<!-- inputs -->\n")
    assert marker
    compare_golden(ROOT / "docs/ci.md", head + marker + "\n".join(_inputs(path) for path in _ci_files()))


def _ci_files() -> list[Path]:
    return sorted((ROOT / "ci").glob("*.yml"), key=lambda path: (path.stem != "model", path.stem))


def _inputs(path: Path) -> str:
    text = path.read_text()
    comment = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    declared: dict[str, dict[str, Any]] = yaml.safe_load(text.partition("\n---\n")[0])["spec"]["inputs"]
    rows = [f"\n### ci/{path.name}\n\n{comment}\n\n| input | variable | default | what it is |\n|---|---|---|---|"]
    for name, declaration in declared.items():
        written = yaml.safe_dump(declaration.get("default")).partition("\n")[0]
        default = f"`{written}`" if "default" in declaration else "required"
        options = f" One of {', '.join(f'`{option}`' for option in declaration.get('options', []))}."
        said = declaration["description"] + (options if "options" in declaration else "")
        variable = f"`{variables()[name]}`" if name in variables() and name != "project" else "-"
        rows.append(f"| `{name}` | {variable} | {default} | {said} |")
    return "\n".join(rows) + "\n"


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in PAGES:
        named = set(re.findall(r"^make ([a-z-]+)", page.read_text(), re.M))
        assert named <= targets, f"{page.name} names {named - targets}"
