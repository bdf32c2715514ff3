"""What shares a server or a stack runs in one process: where that stops, nothing fails and everything is made twice."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOGETHER, pytest_xdist_make_scheduler

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scheduler(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Any:
    """That of `--dist loadgroup`."""
    monkeypatch.setattr(pytestconfig.option, "dist", "loadgroup", raising=False)
    monkeypatch.setattr(pytestconfig.option, "tx", ["popen"], raising=False)
    return pytest_xdist_make_scheduler(pytestconfig, None)


def test_the_demo_and_the_rights_are_each_a_group_and_every_other_test_is_alone(scheduler: Any) -> None:
    def group(nodeid: str) -> str:
        return str(scheduler._split_scope(nodeid))

    assert group("tests/e2e/test_demo.py::a") == group("tests/e2e/test_the_whole_story.py::b") == "tests/e2e/"
    assert group("tests/iam/test_rights.py::a") == group("tests/iam/test_web_identity.py::b[c]")
    assert group("tests/e2e/test_review_environment.py::a") not in ("tests/e2e/", "tests/iam/")
    assert group("tests/ci/test_together.py::a") != group("tests/ci/test_together.py::b")


def test_another_way_to_distribute_is_xdists_own(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytestconfig.option, "dist", "loadfile", raising=False)
    assert pytest_xdist_make_scheduler(pytestconfig, None) is None


def test_xdist_asks_for_the_scheduler_and_the_scheduler_for_the_group() -> None:
    from xdist import newhooks
    from xdist.scheduler import LoadScopeScheduling

    assert hasattr(newhooks, "pytest_xdist_make_scheduler")
    assert "_split_scope" in vars(LoadScopeScheduling)


def test_what_is_kept_together_is_there() -> None:
    assert [begin for begin in TOGETHER if not (ROOT / begin).exists()] == []
    own = (ROOT / "tests/e2e/test_review_environment.py").read_text()
    assert "demo: Demo" not in own, "it would make a demo of its own in the other process"
