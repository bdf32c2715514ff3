"""docs/reuse.md shows the example's files and what `windlass explain` says about them."""

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from windlass.cli.explain import command
from windlass.lint.check import check_project
from windlass.spec.substitute import names_in

ROOT = Path(__file__).parents[2]
PAGE, EXAMPLE = ROOT / "docs/reuse.md", ROOT / "examples/shop"
FILE = re.compile(r"^`(?P<path>[\w@./]+\.yml)`\n\n```yaml\n.*?```$", re.M | re.S)
SESSION = re.compile(r"```console\n.*?```", re.S)


def test_the_page_shows_the_example_and_what_the_command_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compare_golden: Callable[[Path, str], None]
) -> None:
    monkeypatch.chdir(shutil.copytree(EXAMPLE, tmp_path / "shop"))

    def session(match: re.Match[str]) -> str:
        said = ""
        for line in re.findall(r"^\$ windlass explain (.*)$", match[0], re.M):
            said += f"$ windlass explain {line}\n{CliRunner().invoke(command, shlex.split(line)).stdout}"
        return f"```console\n{said}```"

    text = PAGE.read_text(encoding="utf-8")
    shown = FILE.sub(
        lambda match: f"`{match['path']}`\n\n```yaml\n{(EXAMPLE / match['path']).read_text(encoding='utf-8')}```", text
    )
    assert len(FILE.findall(text)) == 4
    compare_golden(PAGE, SESSION.sub(session, shown))


def test_the_example_has_no_problems_and_its_short_pipeline_has_ten_lines() -> None:
    report = check_project(EXAMPLE, None)
    assert not report.problems
    assert sorted(report.pipelines) == ["pipelines/clients.yml", "pipelines/orders.yml"]
    assert len((EXAMPLE / "pipelines/orders.yml").read_text().splitlines()) == 10
    assert names_in((EXAMPLE / "templates/table_copy@1.yml").read_text()) == {"table", "columns", "since"}
