"""`# windlass: ignore[rule] reason`: what it takes back, and when it is not called needless."""

import shutil
from pathlib import Path

import pytest

from windlass.lint.check import check_project
from windlass.lint.rules import IGNORABLE, NEEDS_ENVIRONMENTS, RULES

from .test_command import project as project

TASKS = "tasks: {a: {b: {operator_type: s3_to_file, key: a, pool: big, outputs: {data: a.csv}}}}"


def problems(project: Path, content: str | bytes) -> list[str]:
    (project / "pipelines/bad.yml").write_bytes(content.encode() if isinstance(content, str) else content)
    return [problem.rule for problem in check_project(project, None).problems]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "content",
    [
        f"dag: {{name: bad}}\n{TASKS}  # windlass: ignore[known-pool] made by hand\n",
        f"dag: {{name: bad}}\n# windlass: ignore[known-pool] made by hand\n{TASKS}\n",
        f"dag: {{name: bad}}\n  #windlass:ignore[ known-pool ] made by hand\n# more words\n\n{TASKS}\n",
    ],
)
def test_a_comment_takes_the_problem_of_its_line_or_the_next_back(content: str, newline: str, project: Path) -> None:
    assert problems(project, content.replace("\n", newline)) == []


@pytest.mark.parametrize(
    "content",
    [
        f"# windlass: ignore[known-pool] too far away\ndag: {{name: bad}}\n{TASKS}\n",
        f"dag: {{name: bad}} # windlass: ignore[known-pool] on another line\n{TASKS}\n",
        f"dag: {{name: bad}}\n{TASKS} # windlass: ignore[known-image] of another rule\n",
    ],
)
def test_a_comment_of_another_place_or_rule_takes_nothing_back_and_is_one_problem_more(
    content: str, project: Path
) -> None:
    assert sorted(problems(project, content)) == ["ignore-comment", "known-pool"]


def test_what_is_in_quotes_or_in_a_text_is_no_comment(project: Path) -> None:
    dag = (
        "dag:\n  name: bad\n  description: |\n    # windlass: ignore[known-pool] text\n  owner: 'x # windlass: ignore'"
    )
    assert problems(project, f"{dag}\n{TASKS}\n") == ["known-pool"]


def test_without_environments_a_comment_about_them_is_not_called_needless(project: Path) -> None:
    shutil.rmtree(project / "environments")
    content = f"dag: {{name: bad}}\n{TASKS} # windlass: ignore[known-pool] made by hand\n"
    assert problems(project, content) == []
    assert problems(project, content.replace("known-pool", "no-overlap")) == ["ignore-comment"]


def test_in_a_template_that_nobody_here_uses_a_comment_is_not_called_needless(project: Path) -> None:
    template = project / "templates/take@2.yml"
    template.write_text(template.read_text() + "# windlass: ignore[known-pool] of another repository\n")
    assert problems(project, f"dag: {{name: bad}}\n{TASKS.replace('big', 'dwh')}\n") == []


def test_a_comment_in_a_template_takes_the_problem_of_its_pipelines_back(project: Path) -> None:
    template = project / "templates/take@2.yml"
    content = "dag: {name: bad}\ntemplate: take@2\nwith: {key: a}\n"
    text = template.read_text()
    template.write_text(text.replace("dag: {", "dag: {pool: big, "))
    assert problems(project, content) == ["known-pool"]
    template.write_text(text.replace("dag: {", "# windlass: ignore[known-pool] made by hand\ndag: {pool: big, "))
    assert problems(project, content) == []


def test_rules_that_can_be_ignored_exist() -> None:
    assert {rule.NAME for rule in RULES} > IGNORABLE > NEEDS_ENVIRONMENTS
