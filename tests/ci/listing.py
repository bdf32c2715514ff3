"""Which jobs a repository's pipeline has for an event, as gitlab-ci-local reads it; nothing is run."""

import csv
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from windlass.stack import node


class Listed(NamedTuple):
    """Where and when a job runs, and whether the pipeline goes on when it fails."""

    environment: str
    when: str
    may_fail: bool


ROOT = Path(__file__).parents[2]
REMOTE = "http://127.0.0.1/platform/windlass.git"


def listed_jobs(clone: Path, options: list[str]) -> dict[str, Listed]:
    """The jobs that there are, by name; `options` are the variables that make the event."""
    quiet = ["--json-schema-validation=false", "--list-csv-all", "--variable", "CI_DEFAULT_BRANCH=main"]
    command = [*node.gitlab_ci_local(print), *quiet, *options]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout[done.stdout.find("name;") :].splitlines() if "name;" in done.stdout else []
    rows = [row for row in csv.DictReader(table, delimiter=";") if row["when"] != "never"]
    return {row["name"]: Listed(row["environment"], row["when"], row["allowFailure"] != "false") for row in rows}


def repository(folder: Path, pipeline: str, files: Mapping[str, str] | None = None) -> Path:
    """A repository with this .gitlab-ci.yml and the CI files of this checkout; `platform/windlass` is its origin."""
    given = {f"{path.parent.name}/{path.name}": path.read_text() for path in ROOT.glob("ci/*.yml")}
    given |= {f"{path.parent.name}/{path.name}": path.read_text() for path in ROOT.glob("templates/*.yml")}
    for name, text in (given | {".gitlab-ci.yml": pipeline} | dict(files or {})).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "CI"], ["remote", "add", "origin", REMOTE]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder
