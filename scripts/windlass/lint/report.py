"""From the paths of a command line to findings, and findings in the formats that machines read."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from windlass.lint.check import Report, check_environments, check_project
from windlass.spec.environment import environments_folder, parse_environments
from windlass.spec.errors import WindlassError
from windlass.spec.problem import Problem

_KINDS = ("pipelines", "models", "environments")


@dataclass(frozen=True)
class Findings:
    """What lint has to say: problems, with paths as seen from the working directory, and the files checked."""

    problems: list[Problem]
    files: list[str]


def lint(paths: Sequence[str], here: Path, environments: str | None) -> Findings:
    """The findings about `paths`, which are files of projects or whole projects; without any, about the one here."""
    wanted: dict[Path, set[str]] = {}
    for path in [Path(given) for given in paths] or [here]:
        root, selected = _project_of(path, here)
        wanted.setdefault(root, set()).update(selected)
    problems: list[Problem] = []
    files: list[str] = []
    for root, selected in wanted.items():
        found = _lint_project(root, selected, here, environments)
        problems += found.problems
        files += found.files
    if not files:
        raise WindlassError("there is nothing to check: no pipelines/*.yml, models/*.yml or environments/*.yml here")
    return Findings(sorted(set(problems)), sorted(set(files)))


def _project_of(path: Path, here: Path) -> tuple[Path, set[str]]:
    """The project that `path` belongs to, and what of it is asked for; nothing means the whole."""
    absolute = Path(os.path.abspath(here / path))  # noqa: PTH100 - resolve() would follow links
    parent = absolute.parent
    if absolute.is_dir():
        if absolute.name in _KINDS:
            return parent, {f"{absolute.name}/"}
        return absolute, {""}
    if parent.name in _KINDS:
        return parent.parent, {f"{parent.name}/{absolute.name}"}
    if absolute.is_relative_to(here):
        return here, {str(absolute.relative_to(here))}
    return parent, {absolute.name}


def check_with_environments(root: Path, given: str | None, extra: Sequence[str] = ()) -> tuple[list[Problem], Report]:
    """What check_project reports about `root`, and what is wrong with the environments when they are elsewhere."""
    folder = environments_folder(root, given)
    if folder is None or folder.resolve() == (root / "environments").resolve():
        return [], check_project(root, None, extra)
    problems, environments = check_environments(parse_environments(folder))
    elsewhere = [replace(problem, path=str(folder.parent / problem.path)) for problem in problems]
    return elsewhere, check_project(root, environments, extra)


def _lint_project(root: Path, selected: set[str], here: Path, given: str | None) -> Findings:
    extra = sorted(path for path in selected if path and not path.startswith(tuple(f"{kind}/" for kind in _KINDS)))
    elsewhere, report = check_with_environments(root, given, extra)
    problems = [problem for problem in report.problems if _is_wanted(problem.path, selected)]
    return Findings(
        [replace(problem, path=_seen(root / problem.path, here)) for problem in (*elsewhere, *problems)],
        [_seen(root / path, here) for path in report.files if _is_wanted(path, selected)],
    )


def _is_wanted(path: str, selected: set[str]) -> bool:
    return any(path == item or item == "" or (item.endswith("/") and path.startswith(item)) for item in selected)


def _seen(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def as_data(findings: Findings) -> dict[str, Any]:
    """The findings as `--json` prints them."""
    problems = [
        {"path": p.path, "line": p.line, "column": p.column, "message": p.message, "rule": p.rule}
        for p in findings.problems
    ]
    return {"files": findings.files, "problems": problems}


def as_gitlab(findings: Findings) -> list[dict[str, Any]]:
    """The findings as a GitLab Code Quality report; a problem keeps its fingerprint when lines move."""
    seen: dict[str, int] = {}
    report = []
    for problem in findings.problems:
        key = f"{problem.path}\0{problem.rule}\0{problem.message}"
        seen[key] = seen.get(key, 0) + 1
        report.append(
            {
                "description": problem.message,
                "check_name": problem.rule,
                "fingerprint": hashlib.sha256(f"{key}\0{seen[key]}".encode()).hexdigest(),
                "severity": "major",
                "location": {"path": problem.path, "lines": {"begin": problem.line}},
            }
        )
    return report
