"""What GitLab records of jobs: what they say of their environments, and when an environment stops by itself."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from windlass.spec.errors import WindlassError
from windlass.stack.deployments import Said, expanded, reported, said_by, stop_time
from windlass.stack.event import merge_request_of
from windlass.stack.pipeline import STATE, Job, Pipeline

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
REVIEW = Job("digits:review", "deploy", "review/digits-7", "passed")


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """One whose review job has written a dotenv report."""
    report = tmp_path / STATE / "artifacts/digitsOgreview/.gitlab-ci-reports/dotenv/review.env"
    report.parent.mkdir(parents=True)
    report.write_text("WINDLASS_REVIEW_URL=http://airflow.example/dags?tags=digits_mr7\n\nnot a variable\n")
    scoped = {"LATER": {"*": "2 days", "prod": "never"}}
    return Pipeline(tmp_path, ["gcl"], {"CI_PROJECT_ID": "3"}, (), scoped)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("dev", Said()),
        ({"name": "dev", "action": "access"}, Said("access")),
        (
            {"name": "x", "url": "$WINDLASS_REVIEW_URL", "on_stop": "digits:review:stop", "auto_stop_in": "$HOW_LONG"},
            Said("start", "http://airflow.example/dags?tags=digits_mr7", "", "digits:review:stop", "1 week"),
        ),
        (
            {"url": "https://$CI_PROJECT_ID/${CI_ENVIRONMENT_NAME}$NOBODY", "auto_stop_in": "$LATER"},
            Said("start", "https://3/review/digits-7", auto_stop_in="2 days"),
        ),
        ({"deployment_tier": "development", "auto_stop_in": "$GLOBAL"}, Said(tier="development", auto_stop_in="1 day")),
    ],
)
def test_a_job_says_where_it_deploys_with_the_values_of_its_variables(
    pipeline: Pipeline, environment: object, expected: Said
) -> None:
    variables = {"HOW_LONG": "1 week", "LATER": "never"}  # what the project sets is worth more
    declared = {"variables": {"GLOBAL": {"value": "1 day", "description": "x"}}}
    declared[REVIEW.name] = {"environment": environment, "variables": variables}
    assert said_by(REVIEW, declared, pipeline) == expected


def test_a_report_that_is_not_there_says_nothing(pipeline: Pipeline) -> None:
    assert reported(pipeline.clone, "digits:train") == {}


def test_a_variable_that_names_itself_comes_to_an_end() -> None:
    assert expanded("$A", {"A": "${A}"}) == "${A}"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1 week", "2026-11-30T04:00:00.000Z"),
        ("2 days", "2026-11-25T04:00:00.000Z"),
        ("90 minutes", "2026-11-23T05:30:00.000Z"),
        ("never", None),
        ("", None),
        ("some day", None),
    ],
)
def test_an_environment_stops_by_itself_when_its_job_says(said: str, expected: str | None) -> None:
    assert stop_time(said, NOW) == expected


def test_the_reference_of_a_merge_requests_pipelines_tells_its_number() -> None:
    assert merge_request_of("refs/merge-requests/12/head") == 12
    assert merge_request_of("refs/merge-requests/12/merge/x") is None
    assert merge_request_of("main") is None


def test_only_a_job_that_the_pipeline_has_can_be_started(pipeline: Pipeline) -> None:
    planned = [Job("digits:lint", "build", "", "on_success"), REVIEW]
    assert pipeline._chosen(planned) == planned
    pipeline.manual = ("digits:review",)
    assert pipeline._chosen(planned) == planned
    pipeline.alone = "digits:review"
    assert pipeline._chosen(planned) == [REVIEW]
    pipeline.manual = ("digits:revue",)
    with pytest.raises(WindlassError, match="has no job 'digits:revue'; it has digits:lint, digits:review"):
        pipeline._chosen(planned)
