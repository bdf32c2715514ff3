"""The project in which lint's examples stand: a copy of `project/` with one file more."""

import shutil
from pathlib import Path

from windlass.lint.check import check_project

PROJECT = Path(__file__).parent / "project"
FOLDERS = {".model": "models", ".environment": "environments", "": "pipelines"}


def lint_example(folder: Path, path: str, content: str) -> str:
    """What lint says about the project with the file `path` in it, one problem a line."""
    project = folder / "project"
    shutil.copytree(PROJECT, project, dirs_exist_ok=True)
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_text(content, encoding="utf-8")
    return "".join(f"{problem}\n" for problem in check_project(project, None).problems)
