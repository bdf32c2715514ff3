"""`verify:` in an environment's file: what may be written, and what stands where nothing is."""

from datetime import timedelta

import pytest

from windlass.spec.document import parse_document
from windlass.spec.environment import Environment, read_environment

BASE = "s3: {code: a, models: b, data: c}\nverify: "


def read(verify: str) -> tuple[Environment | None, list[str]]:
    document = parse_document("environments/dev.yml", (BASE + verify + "\n").encode())
    return read_environment("dev", {"dev": document}), [str(problem) for problem in document.problems]


def test_nothing_is_run_and_the_environment_stays_unless_the_file_says_so() -> None:
    environment, problems = read("{timeout: 1 minute}")
    assert (problems, environment and environment.verify.run) == ([], None)
    assert environment is not None
    assert environment.verify.on_failure == "stay"


def test_a_smoke_run_has_a_dag_a_conf_a_time_limit_and_a_file() -> None:
    environment, problems = read(
        "{run: read, conf: {rows: 10}, run_timeout: 90 seconds, delivers: 'a/{ds}/{run_id}.csv'}"
    )
    assert problems == []
    assert environment is not None
    assert environment.verify.conf == {"rows": 10}
    assert environment.verify.run_timeout == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("verify", "words"),
    [
        ("{run: read, delivers: 'a/{date}.csv'}", "unknown placeholder {date}; valid: {ds}, {run_id}"),
        ("{run: read, delivers: ../a.csv}", "is not a path inside the project"),
        ("{delivers: a.csv}", "belong to a smoke run; name its DAG in run"),
        ("{run: read, on_failure: explode}", "'stay'"),
        ("{rum: read}", "did you mean 'run'"),
    ],
)
def test_what_cannot_be_meant_is_a_problem_at_its_place(verify: str, words: str) -> None:
    environment, problems = read(verify)
    assert environment is None
    assert len(problems) == 1
    assert words in problems[0], problems
