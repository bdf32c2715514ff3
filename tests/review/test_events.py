"""Which job of a review there is for which event, read out of the real file by gitlab-ci-local."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ci.events import EVENTS
from tests.ci.listing import Listed, listed_jobs, repository

pytestmark = pytest.mark.stack

GOLDEN = Path(__file__).with_name("events.txt")
MORE = {
    "merge request of a fork, in the fork": ["CI_MERGE_REQUEST_PROJECT_ID=1", "CI_PROJECT_ID=2"],
    "merge request of a branch": ["CI_MERGE_REQUEST_PROJECT_ID=1", "CI_PROJECT_ID=1"],
    "merge train": ["CI_MERGE_REQUEST_EVENT_TYPE=merge_train"],
}
EVERY = EVENTS | {
    name: [*EVENTS["merge request"], *(word for one in given for word in ("--variable", one))]
    for name, given in MORE.items()
}
PIPELINE = "include:\n  - {local: /ci/review.yml, inputs: {project: digits}}\n"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Listed]]:
    """The jobs of each event."""
    clone = repository(tmp_path_factory.mktemp("events") / "clone", PIPELINE)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(EVERY, pool.map(lambda options: listed_jobs(clone, options), EVERY.values()), strict=True))


def test_each_event_has_the_jobs_of_the_table(
    found: dict[str, dict[str, Listed]], compare_golden: Callable[[Path, str], None]
) -> None:
    lines = []
    for event, jobs in found.items():
        lines.append(f"{event}{'' if jobs else ': nothing'}")
        lines += [f"    {name:<22} {job.environment or '-':<20} {job.when}" for name, job in jobs.items()]
    compare_golden(GOLDEN, "\n".join(lines) + "\n")


def test_the_job_that_stops_a_review_is_there_wherever_one_is_made(found: dict[str, dict[str, Listed]]) -> None:
    for jobs in found.values():
        assert ("digits:review" in jobs) == ("digits:review:stop" in jobs)
        assert all(jobs[name].when == "manual" for name in jobs if name == "digits:review:stop")
