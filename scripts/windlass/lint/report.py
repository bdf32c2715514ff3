"""From the paths of a command line to what is wrong with these files, and to their corrected texts."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from windlass.lint.check import Report, check_environments, check_project
from windlass.lint.findings import Findings
from windlass.lint.fix import Correction, fixed
from windlass.spec.case import FOLDER as CASES
from windlass.spec.defaults import FILE as DEFAULTS
from windlass.spec.environment import environments_folder, parse_environments
from windlass.spec.errors import WindlassError
from windlass.spec.problem import Problem
from windlass.spec.shelf import PLATFORM

_KINDS = ("pipelines", "models", "environments", "templates")


def lint(paths: Sequence[str], here: Path, environments: str | None) -> Findings:
    """The findings about `paths`, which are files of projects or whole projects; without any, about the one here."""
    problems: list[Problem] = []
    files: list[str] = []
    texts: dict[str, str] = {}
    for root, selected in _wanted(paths, here).items():
        found = _lint_project(root, selected, here, environments)
        problems += found.problems
        files += found.files
        texts |= found.texts
    if not files:
        raise WindlassError("there is nothing to check: no pipelines/*.yml, models/*.yml or environments/*.yml here")
    return Findings(sorted(set(problems)), sorted(set(files)), texts)


def corrections(paths: Sequence[str], here: Path, environments: str | None) -> list[Correction]:
    """The corrected texts of those files among `paths` that have something to correct; nothing is written."""
    found = []
    for root, selected in _wanted(paths, here).items():
        extra = _extra(selected)

        def check(changed: Mapping[str, bytes], root: Path = root, extra: Sequence[str] = extra) -> Sequence[Problem]:
            return check_with_environments(root, environments, extra, changed)[1].problems

        _, report = check_with_environments(root, environments, extra)
        named = [path for path in report.files if (root / path).is_file()]  # a name that cannot be shown is not there
        texts = {path: report.texts[path] for path in named if _is_wanted(path, selected)}
        for path, text in fixed(texts, check).items():
            found.append(Correction(root / path, _seen(root / path, here), texts[path], text))
    return found


def _wanted(paths: Sequence[str], here: Path) -> dict[Path, set[str]]:
    """The projects that `paths` belong to, each with what of it is asked for."""
    wanted: dict[Path, set[str]] = {}
    for path in [Path(given) for given in paths] or [here]:
        root, selected = _project_of(path, here)
        wanted.setdefault(root, set()).update(selected)
    return wanted


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
    if absolute.is_relative_to(here) and absolute.name != DEFAULTS:
        return here, {str(absolute.relative_to(here))}
    return parent, {absolute.name}


def check_with_environments(
    root: Path, given: str | None, extra: Sequence[str] = (), changed: Mapping[str, bytes] = MappingProxyType({})
) -> tuple[list[Problem], Report]:
    """What check_project reports about `root`, and what is wrong with the environments when they are elsewhere."""
    folder = environments_folder(root, given)
    if folder is None or folder.resolve() == (root / "environments").resolve():
        return [], check_project(root, None, extra, changed)
    problems, environments = check_environments(parse_environments(folder))
    elsewhere = [replace(problem, path=str(folder.parent / problem.path)) for problem in problems]
    return elsewhere, check_project(root, environments, extra, changed, _platform(root, folder))


def _platform(root: Path, environments: Path) -> Path | None:
    """The platform's repository where it is not the usual checkout: the one that the environments are in."""
    platform = environments.parent
    return None if platform.resolve() == (root / PLATFORM).resolve() else platform


def _lint_project(root: Path, selected: set[str], here: Path, given: str | None) -> Findings:
    elsewhere, report = check_with_environments(root, given, _extra(selected))
    problems = [
        problem
        for problem in report.problems
        if any(_is_wanted(path, selected) for path in (problem.path, *problem.used_by))
    ]
    return Findings(
        [replace(problem, path=_seen(root / problem.path, here)) for problem in (*elsewhere, *problems)],
        [_seen(root / path, here) for path in report.files if _is_wanted(path, selected)],
        {_seen(root / path, here): text for path, text in report.texts.items()},
    )


def _extra(selected: set[str]) -> list[str]:
    """The files that are to be taken as pipelines although they are in none of the folders."""
    own = tuple(f"{kind}/" for kind in (*_KINDS, CASES))
    return sorted(path for path in selected if path and not path.startswith(own))


def _is_wanted(path: str, selected: set[str]) -> bool:
    return any(path == item or item == "" or (item.endswith("/") and path.startswith(item)) for item in selected)


def _seen(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
