"""`case.yml` may hold anything: each is a case without problems or one with problems of its own, in one line each."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from windlass.lint.check import check_project
from windlass.spec.case_file import find_cases

from .example_project import PROJECT
from .test_hostile_files import NO_DOCUMENT, ODD_VALUES

GOOD: dict[str, Any] = {
    "description": "A case with every key.",
    "inputs": {"images": "train.py", "model": {"train": "train.py", "holdout": "train.py"}},
    "params": {"limit": 3},
    "date": "2026-01-31",
    "expect": {
        "scores": {
            "equal": "train.py",
            "tolerance": 0.5,
            "ignore_order": True,
            "key": ["id"],
            "rows": {"at_least": 1, "at_most": 3},
            "columns": {"id": "string", "score": {"type": "number", "at_least": 0}},
            "unique": ["id"],
        }
    },
}
ODD = [
    None,
    True,
    -1,
    1.5,
    "",
    "x",
    "../x",
    "/etc/passwd",
    [],
    [None],
    [[]],
    {},
    {"": None},
    {"x": {"y": []}},
    {"a b": 1},
]


def changed(value: Any) -> Iterator[Any]:
    """The value with each of its parts replaced by something odd."""
    yield from ODD
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ({**value, key: other} for other in changed(item))
            yield {**{k: v for k, v in value.items() if k != key}, f"{key}s": item}
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from ([*value[:number], other, *value[number + 1 :]] for other in changed(item))


def test_a_case_of_any_content_is_understood_or_refused(tmp_path: Path) -> None:
    project = shutil.copytree(PROJECT, tmp_path / "project")
    texts = [json.dumps(value).encode() for value in (GOOD, *changed(GOOD))]
    contents = [*texts, *NO_DOCUMENT.values(), *ODD_VALUES.values()]
    assert len(contents) > 300
    for number, content in enumerate(contents):
        folder = project / f"tests/jobs/scores/score/case_{number:03}"
        folder.mkdir(parents=True)
        (folder / "case.yml").write_bytes(content)
    problems = check_project(project, None).problems
    assert all(problem.path.startswith("tests/jobs/scores/score/case_") for problem in problems)
    assert all(str(problem).isprintable() for problem in problems)
    wrong = {problem.path.split("/")[4] for problem in problems}
    assert "case_000" not in wrong and len(wrong) > 200


def test_folders_of_any_name_and_links_are_no_way_out(tmp_path: Path) -> None:
    project = tmp_path / "project"
    top = project / "tests/jobs"
    for path in ("a\nb/\x1b[31m/c'\"", "scores/score/one/inputs/..x", ".hidden/a/b", "scores/__pycache__/a"):
        (top / path).mkdir(parents=True)
    (top / "scores/score/two").symlink_to("/etc")
    (top / "loop").symlink_to(top)
    (top / "scores/score/one/case.yml").symlink_to("/etc/passwd")
    cases = find_cases(project)
    assert [case.path.rpartition("/")[2] for case in cases] == ["c'\"", "one"]
    problems = check_project(project, None).problems
    assert any("a link that leads out of the project" in problem.message for problem in problems)
    assert all(str(problem).isprintable() for problem in problems)
