"""Names, durations, pipelines, models and gates."""

from datetime import date, timedelta

import pytest

from windlass.spec.document import parse_document
from windlass.spec.duration import parse_duration
from windlass.spec.model import Gate, failed_gates, read_model, version_name
from windlass.spec.names import check_filename, check_relative_path, check_word, project_name
from windlass.spec.pipeline import Pipeline, read_pipeline, salvage_pipeline
from windlass.spec.problem import near

TASK = "{operator_type: s3_to_file, key: a, outputs: {data: a.csv}%s}"


def pipeline(text: str) -> Pipeline:
    document = parse_document("x.yml", text.encode())
    read = read_pipeline(document)
    assert read is not None, document.problems
    return read


@pytest.mark.parametrize("good", ["a", "read_digits", "a1", "a" * 63])
def test_a_word_may_be_a_name(good: str) -> None:
    assert check_word(good) == good


@pytest.mark.parametrize("bad", ["", "A", "1a", "_a", "a-b", "a b", "class", "a" * 64, "ä", "a\n", "a.b"])
def test_other_words_may_not(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot be used as a name"):
        check_word(bad)


@pytest.mark.parametrize("bad", ["", "a/b", "../a", ".hidden", "a..b", "a b", "a\n"])
def test_a_file_name_has_no_folders(bad: str) -> None:
    with pytest.raises(ValueError, match="is not a file name"):
        check_filename(bad)


@pytest.mark.parametrize("bad", ["", "/etc/passwd", "../a", "a/../b", "./a", "a//b", "a\\b", "a\0"])
def test_a_path_stays_inside_the_project(bad: str) -> None:
    with pytest.raises(ValueError, match="is not a path inside the project"):
        check_relative_path(bad)


def test_a_project_is_a_package_that_hides_no_other() -> None:
    assert project_name("Credit-Risk.v2") == "credit_risk_v2"
    for taken in ("json", "random", "airflow", "boto3", "docker", "windlass", "dags"):
        with pytest.raises(ValueError, match="a Python package of that name exists, which Airflow would import"):
            project_name(taken)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 seconds", 90), ("1 minute", 60), ("60 minutes", 3600), ("2 hours", 7200), ("1 day", 86400)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("bad", [10, "10", "0 minutes", "1.5 hours", "-1 day", "1 week", "10minutes", "", None, True])
def test_anything_else_is_not_a_duration(bad: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(bad)


def test_a_pipeline_has_defaults_where_nothing_is_written() -> None:
    dag = pipeline(f"dag: {{name: x}}\ntasks: {{a: {{b: {TASK % ''}}}}}").dag
    assert (dag.schedule, dag.timezone, dag.start_date, dag.retries) == (None, "UTC", date(2026, 1, 1), 0)


def test_base_resource_may_be_called_like_any_flavor() -> None:
    text = f"dag: {{name: x, base_resource: cpu-4gb}}\ntasks: {{a: {{b: {TASK % ''}}}}}"
    assert pipeline(text).dag.base_resource == "cpu-4gb"


def test_tasks_follow_inputs_needs_or_else_the_whole_group_before() -> None:
    read = pipeline(
        "dag: {name: x}\ntasks:\n"
        f"  a: {{one: {TASK % ''}, two: {TASK % ''}}}\n"
        f"  b: {{all: {TASK % ''}, input: {TASK % ', inputs: {x: a.one.data}'}, now: {TASK % ', needs: []'},"
        f" task: {TASK % ', needs: [a.two]'}, group: {TASK % ', needs: [a]'}, model: {TASK % ', inputs: {m: model:m}'},"
        f" both: {TASK % ', inputs: {x: a.one.data}, needs: [b.now]'}}}\n"
    )
    assert read.upstream() == {
        "a.one": set(),
        "a.two": set(),
        "b.all": {"a.one", "a.two"},
        "b.input": {"a.one"},
        "b.now": set(),
        "b.task": {"a.two"},
        "b.group": {"a.one", "a.two"},
        "b.model": {"a.one", "a.two"},
        "b.both": {"a.one", "b.now"},
    }
    assert read.models == ["m"]


def test_keys_that_the_language_does_not_know_are_the_operators_arguments() -> None:
    task = pipeline(f"dag: {{name: x}}\ntasks: {{a: {{b: {TASK % ''}}}}}").task_ids["a.b"]
    assert task.arguments == {"key": "a"}


def test_a_broken_part_becomes_empty_and_all_others_are_kept() -> None:
    tasks = f"{{a: {{good: {TASK % ''}, bad: {{}}}}, empty: {{}}, b: {{c: {TASK % ''}}}}}"
    text = f"dag: {{name: x, retries: two}}\ntasks: {tasks}"
    document = parse_document("x.yml", text.encode())
    salvaged = salvage_pipeline(document)
    assert salvaged is not None and list(salvaged.task_ids) == ["a.good", "a.bad", "b.c"]
    assert len(document.problems) == 3
    assert read_pipeline(parse_document("x.yml", text.encode())) is None


def test_a_broken_dag_does_not_hide_the_tasks() -> None:
    document = parse_document("x.yml", f"dag: 3\ntasks: {{a: {{b: {TASK % ''}}}}}".encode())
    salvaged = salvage_pipeline(document)
    assert salvaged is not None and list(salvaged.task_ids) == ["a.b"]
    assert [problem.message for problem in document.problems] == ["dag must be a mapping, not 3"]


def test_a_near_match_is_offered_else_the_valid_values() -> None:
    assert near("clietns", ["clients", "scores"]) == "; did you mean 'clients'?"
    assert near("x", ["clients", "scores"]) == "; valid: 'clients', 'scores'"
    assert near("x", []) == ""


GATES = {"accuracy": Gate(at_least=0.95, not_below="live"), "seconds": Gate(at_most=2, not_above="live")}


@pytest.mark.parametrize(
    ("metrics", "live", "failures"),
    [
        ({"accuracy": 0.96, "seconds": 1}, None, []),
        ({"accuracy": 0.95, "seconds": 2}, {"accuracy": 0.95, "seconds": 2}, []),
        ({"accuracy": 0.96, "seconds": 1}, {}, []),
        ({"accuracy": 0.9, "seconds": 1}, None, ["metric 'accuracy' is 0.9, below the gate's at_least 0.95"]),
        (
            {"accuracy": 0.96, "seconds": 1},
            {"accuracy": 0.97},
            ["metric 'accuracy' is 0.96, below the live version's 0.97"],
        ),
        (
            {"accuracy": 0.96, "seconds": 3},
            {"seconds": 1},
            ["metric 'seconds' is 3, above the gate's at_most 2", "metric 'seconds' is 3, above the live version's 1"],
        ),
        ({"seconds": 1}, None, ["metric 'accuracy' was not measured; the job wrote: seconds"]),
        (
            {"accuracy": float("nan"), "seconds": 1},
            {"accuracy": 0.5},
            ["metric 'accuracy' is nan, which passes no gate"],
        ),
    ],
)
def test_gates_name_every_bound_that_is_not_kept(
    metrics: dict[str, float], live: dict[str, float] | None, failures: list[str]
) -> None:
    assert failed_gates(GATES, metrics, live) == failures


def test_a_metric_that_is_not_a_number_passes_no_gate_even_when_only_the_live_version_bounds_it() -> None:
    assert failed_gates({"a": Gate(not_below="live")}, {"a": float("nan")}, None) != []


def test_a_version_is_named_by_what_it_is_made_of_and_not_by_the_order_of_keys() -> None:
    assert version_name({"a": 1, "b": 2}) == version_name({"b": 2, "a": 1}) != version_name({"a": 1, "b": 3})
    assert len(version_name({})) == 16


def test_a_model_needs_a_file_for_its_metrics() -> None:
    job = "{docker_image: i, execution_time: 1 hour, execution_script: x}"
    text = f"data: {{}}\ncode: [a.py]\ntrain: {job}\noutputs: {{metrics: m.%s}}\n"
    assert read_model(parse_document("m.yml", (text % "json").encode())) is not None
    document = parse_document("m.yml", (text % "txt").encode())
    assert read_model(document) is None
    assert str(document.problems[0]).startswith(
        "m.yml:4:10: outputs: a port 'metrics' is missing whose file ends in .json"
    )
