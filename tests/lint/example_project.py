"""The project in which lint's examples stand: a copy of `project/` with one file more."""

import shutil
from pathlib import Path

from windlass.lint.check import check_project

PROJECT = Path(__file__).parent / "project"
_PATHS = {
    "": "pipelines/{}.yml",
    ".model": "models/{}.yml",
    ".environment": "environments/{}.yml",
    ".template": "templates/{}@1.yml",
    ".defaults": "defaults.yml",
    ".roles": "environments/roles.yml",
    ".owners": "environments/CODEOWNERS",
    ".case": "tests/jobs/scores/score/{}/case.yml",
}


def kind_of(case: Path) -> str:
    """What a golden case is: `pipeline`, or as its name says `model`, `environment`, `template`, `roles`..."""
    return Path(case.stem).suffix.removeprefix(".") or "pipeline"


def path_of(case: Path) -> str:
    """Where a golden case stands in the project."""
    return _PATHS[Path(case.stem).suffix].format(Path(case.stem).stem)


def lint_example(folder: Path, path: str, content: str) -> str:
    """What lint says about the project with the file `path` in it, one problem a line."""
    project = folder / "project"
    shutil.copytree(PROJECT, project, dirs_exist_ok=True)
    (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / path).write_text(content, encoding="utf-8")
    return "".join(f"{problem}\n" for problem in check_project(project, None).problems)
