"""Runs a model's tests in a fresh copy of the project, where they see no credentials and can break nothing."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from windlass.runtime.process import Finished, run_script
from windlass.training.project_files import all_files, copy_files

TIME_LIMIT = timedelta(minutes=15)


def run_tests(
    project_dir: Path, tests: str, log: Callable[[str], None], time_limit: timedelta = TIME_LIMIT
) -> Finished:
    """Runs the command `tests`; what it prints goes to `log`, and `reason` of the result is None when all is well."""
    with tempfile.TemporaryDirectory(prefix="windlass-test-", ignore_cleanup_errors=True) as folder:
        copy_files(project_dir, all_files(project_dir), Path(folder))
        return run_script(tests, Path(folder), time_limit, log)
