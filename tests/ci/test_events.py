"""Which job there is for which event, where and when: a table that gitlab-ci-local reads out of the real templates."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ci.events import EVENTS
from tests.ci.listing import Listed, listed_jobs, repository

pytestmark = pytest.mark.stack

GOLDEN = Path(__file__).with_name("events.txt")
MODEL = """\
include:
  - {local: /ci/model.yml, inputs: {project: digits}}
  - {local: /ci/environments.yml, inputs: {project: settings, environment: stage, tier: staging}}
"""
BY_COMPONENT = """\
include:
  - {component: 127.0.0.1/platform/windlass/model@$CI_COMMIT_SHA, inputs: {project: digits}}
"""
Jobs = dict[str, Listed]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Jobs]:
    """The jobs of each event."""
    clone = repository(tmp_path_factory.mktemp("events") / "clone", MODEL)
    with ThreadPoolExecutor(2) as pool:
        listed = pool.map(lambda options: listed_jobs(clone, options), EVENTS.values())
        return dict(zip(EVENTS, listed, strict=True))


def test_each_event_has_the_jobs_of_the_table(
    found: dict[str, Jobs], compare_golden: Callable[[Path, str], None]
) -> None:
    lines = []
    for event, jobs in found.items():
        lines.append(f"{event}{'' if jobs else ': nothing'}")
        lines += [f"    {_described(name, job)}" for name, job in jobs.items()]
    compare_golden(GOLDEN, "\n".join(lines) + "\n")


def _described(name: str, job: Listed) -> str:
    may_fail = ", may fail" if job.may_fail and job.when != "manual" else ""
    return f"{name:<30} {job.environment or '-':<8} {job.when}{may_fail}"


def test_no_commit_gets_two_pipelines_with_the_same_job(found: dict[str, Jobs]) -> None:
    # a branch with a merge request has both events; a tag comes beside the push of its branch
    for one, other in (("merge request", "another branch"), ("default branch", "tag v1.2.3")):
        by_itself = [{name for name, job in found[event].items() if job.when != "manual"} for event in (one, other)]
        assert not by_itself[0] & by_itself[1]


def test_what_fails_in_a_draft_is_a_warning_and_stops_all_others(found: dict[str, Jobs]) -> None:
    assert found["draft"].keys() == found["merge request"].keys()
    assert all(job.may_fail for job in found["draft"].values())
    hard = [
        job for event in ("merge request", "default branch", "tag v1.2.3", "schedule") for job in found[event].values()
    ]
    assert not any(job.may_fail for job in hard if job.when != "manual")


def test_a_pipeline_for_a_rollback_does_nothing_else(found: dict[str, Jobs]) -> None:
    assert [job.when for job in found["rollback of stage by hand"].values()] == ["on_success"]
    assert [*found["rollback of stage by hand"], *found["rollback of prod on a tag"]] == [
        "digits:rollback:stage",
        "digits:rollback:prod",
    ]


def test_a_variable_of_the_project_wins_over_an_input(tmp_path: Path) -> None:
    clone = repository(tmp_path, MODEL.replace("project: digits", "project: digits, check: false"))
    variables = ["--variable", "WINDLASS_TRAIN_JOBS=together", "--variable", "WINDLASS_CHECK=true"]
    jobs = listed_jobs(clone, [*EVENTS["merge request"], *variables])
    assert {"digits:train", "digits:check"} <= jobs.keys()
    assert "digits:train:jobs" not in jobs


def test_the_component_has_the_jobs_of_the_file(found: dict[str, Jobs], tmp_path: Path) -> None:
    clone = repository(tmp_path, BY_COMPONENT)
    for event in ("merge request", "default branch", "tag v1.2.3"):
        by_file = {name: job for name, job in found[event].items() if name.startswith("digits:")}
        assert listed_jobs(clone, EVENTS[event]) == by_file
