"""Which jobs a repository's pipeline has for an event, as gitlab-ci-local reads it; nothing is run."""

import csv
import subprocess
from pathlib import Path

from windlass.stack import node


def listed_jobs(clone: Path, options: list[str]) -> dict[str, str]:
    """`when` of each job by name; `options` are the variables that make the event."""
    command = [*node.gitlab_ci_local(print), "--list-csv-all", "--variable", "CI_DEFAULT_BRANCH=main", *options]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout[done.stdout.find("name;") :].splitlines() if "name;" in done.stdout else []
    return {row["name"]: row["when"] for row in csv.DictReader(table, delimiter=";") if row["when"] != "never"}
