"""What all tests share: golden files, which `pytest --update-golden` writes anew for a person to read in the diff."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

_SLOW_MACHINE = [HealthCheck.too_slow]
"""How fast the machine is, no test claims: others may use it too."""
settings.register_profile("usual", deadline=None, suppress_health_check=_SLOW_MACHINE)
settings.register_profile("long", settings.get_profile("usual"), max_examples=5_000)
"""`pytest --hypothesis-profile long`: fifty times as many examples as usual where a test counts with `examples`."""
settings.load_profile("usual")


def examples(usual: int) -> settings:
    """Settings with the usual number of examples, and in another profile as many times as many as that has."""
    return settings(max_examples=max(1, usual * settings.default.max_examples // 100), deadline=None)


def pytest_configure() -> None:
    """A shell's `make test &` ignores Ctrl-C for all that it starts; tests that send it need it to arrive."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


TOGETHER = ("tests/e2e/test_review_environment.py", "tests/e2e/", "tests/iam/")
"""Tests whose names begin with the same of these share what takes long to make; `--dist loadgroup` keeps them in one
process."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Groups by name, because xdist 3.8 no longer sees the mark `xdist_group` with pytest 9.2 (its issue 1386)."""
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((begin for begin in TOGETHER if nodeid.startswith(begin)), nodeid)

    return Grouped(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where CI runs, everything that tests need is there: a test that was skipped is one that nobody would miss."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files instead of comparing")


@pytest.fixture
def compare_golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares a text with a golden file, or writes the file."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing; run pytest --update-golden and read the diff"
        assert text == path.read_text(encoding="utf-8")

    return compare
