"""What all tests share: golden files, which `pytest --update-golden` writes anew for a person to read in the diff."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """A shell's `make test &` ignores Ctrl-C for all that it starts; tests that send it need it to arrive."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
