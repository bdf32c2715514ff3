"""The pipeline language: groups, schedules, parameters, kinds of tasks, and what differs between environments."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.spec.dag import Notify
from windlass.spec.document import parse_document
from windlass.spec.pipeline import MAX_TASKS, Pipeline, read_pipeline, salvage_pipeline
from windlass.spec.schedule import AllOf, AnyOf, Every, OnAssets, asset_names

JOB = "job: {docker_image: i, execution_time: 1 hour, execution_script: 'x'}"
TASK = f"{{{JOB}}}"


def pipeline(text: str) -> Pipeline:
    document = parse_document("x.yml", text.encode())
    read = read_pipeline(document)
    assert read is not None, document.problems
    return read


def problems(text: str) -> list[str]:
    document = parse_document("x.yml", text.encode())
    assert read_pipeline(document) is None
    assert salvage_pipeline(parse_document("x.yml", text.encode())) is not None
    return [f"{problem.line}:{problem.column} {problem.message}" for problem in document.problems]


def dag(keys: str) -> Pipeline:
    return pipeline(f"dag: {{name: x, {keys}}}\ntasks: {{a: {{b: {TASK}}}}}")


def task(keys: str) -> list[str]:
    return problems(f"dag: {{name: x}}\ntasks: {{a: {{b: {{{keys}}}}}}}")


# groups


def test_a_group_holds_tasks_and_groups_and_their_names_show_it() -> None:
    read = pipeline(f"dag: {{name: x}}\ntasks: {{a: {{t: {TASK}, b: {{c: {{t: {TASK}}}}}}}}}")
    assert list(read.task_ids) == ["a.t", "a.b.c.t"]
    assert list(read.tree.groups) == ["a", "a.b", "a.b.c"]


def test_groups_are_stages_at_every_level_and_tasks_of_a_group_begin_with_it() -> None:
    read = pipeline(
        f"dag: {{name: x}}\ntasks:\n  a: {{t: {TASK}}}\n  b:\n    t: {TASK}\n"
        f"    c: {{t: {TASK}}}\n    d: {{t: {TASK}}}\n  e: {{t: {TASK}}}\n"
    )
    assert read.upstream() == {
        "a.t": set(),
        "b.t": {"a.t"},
        "b.c.t": {"a.t"},
        "b.d.t": {"b.c.t"},
        "e.t": {"b.t", "b.c.t", "b.d.t"},
    }


def test_all_of_a_group_waits_for_what_the_group_needs_whatever_else_its_tasks_take() -> None:
    read = pipeline(
        f"dag: {{name: x}}\ntasks:\n  a: {{t: {{{JOB}, outputs: {{o: o.csv}}}}}}\n  b: {{t: {TASK}}}\n"
        f"  c:\n    needs: [a]\n    now: {{{JOB}, needs: []}}\n    input: {{{JOB}, inputs: {{i: a.t.o}}}}\n"
        f"    then: {{{JOB}, needs: [c.now]}}\n    d: {{needs: [b], t: {TASK}}}\n"
    )
    found = read.upstream()
    assert {name: found[f"c.{name}"] for name in ("now", "input", "then", "d.t")} == {
        "now": {"a.t"},
        "input": {"a.t"},
        "then": {"c.now"},
        "d.t": {"a.t", "b.t"},
    }


def test_needs_may_be_a_tasks_name_too() -> None:
    read = pipeline(f"dag: {{name: x}}\ntasks: {{a: {{needs: {TASK}, b: {{needs: [a.needs], needs_too: {TASK}}}}}}}")
    assert read.upstream() == {"a.needs": set(), "a.b.needs_too": {"a.needs"}}


def test_a_task_may_be_called_like_a_kind_of_task() -> None:
    read = pipeline(f"dag: {{name: x}}\ntasks: {{a: {{g: {{job: {TASK}, branch: {TASK}}}}}}}")
    assert list(read.task_ids) == ["a.g.job", "a.g.branch"]


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ("{a: {job: {docker_image: i}}}", "tasks stand in groups"),
        ("{a: {}}", "a must not be empty"),
        ("{a: {b: {}}}", "a task needs one of 'job', 'operator_type', 'approval' and 'branch'"),
        ("{a: {b: {operater_type: x}}}", "a task needs one of"),
        ("{a: {b: 3}}", "b must be a mapping, not 3"),
        ("{a: {b: {c: {d: {e: {f: {g: TASK}}}}}}}", "in more than 5 groups"),
        ("{a: {B: TASK}}", "cannot be used as a name"),
        ("{a: {b: {c: {job: {docker_imag: i}}}}}", "unknown key 'docker_imag' in tasks.a.b.c.job; did you mean"),
        ("{a: {LONG: {LONG: {LONG: {LONG: TASK}}}}}", "more than 200 characters"),
    ],
)
def test_a_group_that_cannot_be_is_a_problem_at_its_place(tasks: str, said: str) -> None:
    assert said in "\n".join(
        problems("dag: {name: x}\ntasks: " + tasks.replace("TASK", TASK).replace("LONG", "x" * 60))
    )


def test_the_limit_of_tasks_holds_for_nested_groups() -> None:
    tasks = "".join(f"      t{i}: {TASK}\n" for i in range(MAX_TASKS + 1))
    document = parse_document("x.yml", f"dag: {{name: x}}\ntasks:\n  a:\n    b:\n{tasks}".encode())
    assert salvage_pipeline(document) is None
    assert "more than 1,000 tasks" in document.problems[0].message


NAMES = st.sampled_from(["a", "b", "needs", "job", "t"])
TREES = st.recursive(
    st.just("task"), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


def written(tree: Any) -> Any:
    if tree == "task":
        return {"job": {"docker_image": "i", "execution_time": "1 hour", "execution_script": "x"}}
    return {name: written(inner) for name, inner in tree.items()}


def leaves(tree: Any, path: str = "") -> list[str]:
    if tree == "task":
        return [path]
    return [leaf for name, inner in tree.items() for leaf in leaves(inner, f"{path}.{name}" if path else name)]


@settings(max_examples=60)
@given(st.dictionaries(NAMES, st.dictionaries(NAMES, TREES | st.just("task"), min_size=1, max_size=3), min_size=1))
def test_any_tree_of_groups_is_read_as_it_was_written_and_has_no_circle(tree: Any) -> None:
    names = leaves(tree)
    if max(name.count(".") for name in names) > 5:
        return
    read = Pipeline.model_validate({"dag": {"name": "x"}, "tasks": written(tree)})
    assert list(read.task_ids) == names
    above = read.upstream()
    done: set[str] = set()
    while ready := [name for name in above if name not in done and above[name] <= done]:
        done.update(ready)
    assert done == set(names)


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=12), st.integers(1, 4))
def test_needs_of_earlier_tasks_are_followed_exactly(needs: list[list[int]], size: int) -> None:
    ids = [f"g{i // size}.t{i}" for i in range(len(needs))]
    chosen = [[ids[n % i] for n in wanted] if i else [] for i, wanted in enumerate(needs)]
    tasks: dict[str, Any] = {}
    for name, wanted in zip(ids, chosen, strict=True):
        group, _, leaf = name.partition(".")
        tasks.setdefault(group, {})[leaf] = written("task") | {"needs": wanted}
    read = Pipeline.model_validate({"dag": {"name": "x"}, "tasks": tasks})
    assert read.upstream() == {name: set(wanted) for name, wanted in zip(ids, chosen, strict=True)}


# schedules, dates, parameters


def test_a_schedule_is_text_a_time_or_assets() -> None:
    assert dag("schedule: '@daily'").dag.schedule == "@daily"
    assert dag("schedule: {every: 2 hours}").dag.schedule == Every(every=timedelta(hours=2))
    assert dag("schedule: {assets: a}").dag.schedule == OnAssets(assets="a")
    read = dag("schedule: {assets: {any: [a, {all: [b, c]}]}}").dag.schedule
    assert isinstance(read, OnAssets) and isinstance(read.assets, AnyOf) and isinstance(read.assets.any[1], AllOf)
    assert asset_names(read.assets) == ["a", "b", "c"]


def test_dates_may_have_a_time() -> None:
    read = dag("start_date: 2026-01-01, end_date: 2026-12-31 06:30").dag
    assert (read.start_date, read.end_date) == (date(2026, 1, 1), datetime(2026, 12, 31, 6, 30))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("schedule: 3", "schedule must be text, not 3"),
        ("schedule: {evry: 2 hours}", "unknown key 'evry' in dag.schedule; did you mean"),
        ("schedule: {every: 2}", "every: 2 is not a duration"),
        ("schedule: {assets: []}", "assets must not be empty"),
        ("schedule: {assets: {any: [a, 3]}}", "any[1] must be text, not 3"),
        ("schedule: {assets: 's3://x/y'}", "cannot be an asset's name"),
        ("start_date: 2026-13-01", "is not a date"),
        ("start_date: '2026-01-01T00:00+02:00'", "has a time zone"),
        ("start_date: '20260131'", "is not a date"),
        ("start_date: '2026-01-31 06'", "is not a date"),
        ("start_date: 2026-W05", "is not a date"),
        ("start_date: 1900-01-01", "is not between 1970-01-01 and 9999-12-30"),
        ("end_date: '9999-12-31 23:59'", "is not between 1970-01-01 and 9999-12-30"),
        ("schedule: {assets: self}", "Airflow keeps it for itself"),
        ("retries: 3000000000", "less than or equal to 2000000000"),
        ("max_active_tasks: 3000000000", "less than or equal to 2000000000"),
        ("end_date: 2025-01-01", "end_date 2025-01-01 is before start_date 2026-01-01"),
        ("retry_backoff: 0.5", "neither true, false nor a factor"),
        ("schedule: '@daily', params: {a: {type: integer}}", "params.a needs a default"),
        ("params: {a: {type: integer, default: 5, maximum: 4}}", "default 5 is more than the maximum 4"),
        ("params: {a: {type: integer, default: true}}", "default True is not of the type integer"),
        ("params: {a: {type: string, default: x, enum: [y]}}", "default 'x' is not in enum"),
        ("params: {a: {type: string, format: date, default: x}}", "is not of the format date"),
        ("params: {a: {type: string, minimum: 1}}", "minimum and maximum bound numbers"),
        ("params: {a: {type: integr}}", "there is no type 'integr'; did you mean 'integer'?"),
        ("notify: {failure: []}", "failure must not be empty"),
        ("max_active_runs: 0", "max_active_runs"),
    ],
)
def test_a_dag_that_cannot_be_is_a_problem(keys: str, said: str) -> None:
    assert said in "\n".join(problems(f"dag: {{name: x, {keys}}}\ntasks: {{a: {{b: {TASK}}}}}"))


# tasks


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (f"{JOB}, operator_type: x", "not job and operator_type"),
        (f"{JOB}, trigger_rule: all_sucess", "there is no trigger rule 'all_sucess'; did you mean 'all_success'?"),
        (f"{JOB}, only_if: 'a', ", "is neither a port"),
        (f"{JOB}, only_if: '{{{{ a }}}}', skip_if: a.b.c", "either 'only_if' or 'skip_if'"),
        (f"{JOB}, setup: true, teardown: []", "either 'setup' or 'teardown'"),
        (f"{JOB}, teardown: [], trigger_rule: all_done", "it takes no trigger_rule"),
        (f"{JOB}, inputs: {{x: a.b.c}}, split: {{input: x, rows: 1}}, assets: {{out: [x]}}", "ends once for each part"),
        (f"{JOB}, for_each: {{as: i, in: [1]}}", "nothing in the task takes {i}"),
        (f"{JOB}, for_each: {{as: i, in: [1]}}, inputs: {{x: '{{i}}'}}", "an input is a file"),
        (f"{JOB}, for_each: {{as: i, in: []}}", "must not be empty"),
        (f"{JOB}, split: {{input: x, rows: 1}}", "split.input 'x' is no input of the task"),
        (f"{JOB}, inputs: {{x: a.b.c}}, split: {{input: x}}", "split needs one of 'rows', 'size' and 'parts'"),
        (f"{JOB}, inputs: {{x: a.b.c}}, split: {{input: x, rows: 1, size: 1Mi}}", "and 'parts', not rows and size"),
        (f"{JOB}, inputs: {{x: a.b.c}}, split: {{input: x, size: 64 MB}}", "'64 MB' is no size; write it like"),
        (f"{JOB}, inputs: {{x: a.b.c}}, split: {{input: x, size: 0Mi}}", "'0Mi' is no size"),
        (f"{JOB}, inputs: {{x: a.b.c}}, split: {{input: x, size: 64}}", "size must be text, not 64"),
        (
            f"{JOB}, inputs: {{x: a.b.c}}, outputs: {{o: o.txt}}, split: {{input: x, rows: 1}}",
            "split puts .csv, .csv.gz,",
        ),
        (
            f"{JOB}, inputs: {{x: a.b.c}}, split: {{input: x, rows: 1, delimiter: ';;'}}",
            "';;' is not one ASCII character",
        ),
        (f"{JOB}, inputs: {{x: a.b.c}}, split: {{input: x, rows: 1, escape: '\"'}}", "must differ from each other"),
        (f"{JOB}, inputs: {{x: a.b.c}}, setup: true, split: {{input: x, rows: 1}}", "runs once"),
        ("approval: {subject: x}, inputs: {x: a.b.c}", "approval takes no inputs"),
        ("approval: {subjct: x}", "unknown key 'subjct'"),
        ("branch: {by: a.b.c, cases: {}}", "cases must not be empty"),
        (f"{JOB}, assets: {{in: ['a b']}}", "cannot be an asset's name"),
        (f"{JOB}, for_each: {{as: i, ni: [1]}}", "unknown key 'ni' in tasks.a.b.for_each"),
        ("operator_type: airflow.x.y.Z, outputs: {o: o.csv}", "leaves no outputs"),
    ],
)
def test_a_task_that_cannot_be_is_a_problem(keys: str, said: str) -> None:
    assert said in "\n".join(task(keys))


def test_a_task_called_like_one_that_windlass_adds_is_refused() -> None:
    split = f"{{{JOB}, inputs: {{x: a.o.c}}, split: {{input: x, rows: 1}}}}"
    assert "name it differently" in problems(f"dag: {{name: x}}\ntasks: {{a: {{b: {split}, b__split: {TASK}}}}}")[0]


def test_a_task_that_windlass_adds_has_no_longer_name_than_airflow_takes() -> None:
    one, port = "a" * 63, "b" * 63
    split = f"{{{JOB}, inputs: {{x: a.o.c}}, outputs: {{{port}: o.csv}}, split: {{input: x, rows: 1}}}}"
    (said,) = problems(f"dag: {{name: x}}\ntasks: {{{one}: {{{one}: {{{one}: {split}}}}}}}")
    assert "a task that windlass adds, has more than 250 characters" in said


def test_the_first_tasks_of_what_a_branch_names_follow_it() -> None:
    read = pipeline(
        f"dag: {{name: x}}\ntasks:\n  a: {{t: {TASK}}}\n"
        f"  b: {{way: {{branch: {{by: '{{{{ x }}}}', cases: {{y: [c, d.t]}}}}}}}}\n"
        f"  c: {{one: {{{JOB}, needs: []}}, two: {{{JOB}, needs: [c.one]}}}}\n  d: {{t: {{{JOB}, needs: [a]}}}}\n"
    )
    found = read.upstream()
    assert (found["c.one"], found["c.two"], found["d.t"]) == ({"b.way"}, {"c.one"}, {"a.t", "b.way"})


def test_a_group_is_not_waited_for_by_its_teardown() -> None:
    read = pipeline(
        f"dag: {{name: x}}\ntasks:\n  a: {{t: {TASK}, down: {{{JOB}, teardown: [a.t]}}}}\n  b: {{t: {TASK}}}\n"
    )
    assert read.upstream() == {"a.t": set(), "a.down": {"a.t"}, "b.t": {"a.t"}}


# environments


BASE = f"dag: {{name: x, retries: 1}}\ntasks: {{a: {{b: {{{JOB}, retries: 2}}, c: {{operator_type: o, key: k}}}}}}\n"


def test_an_environment_has_the_values_of_its_overlay_and_all_others() -> None:
    over = "environments: {prod: {dag: {retries: 5}, tasks: {a: {b: {job: {docker_image: j}}, c: {key: l}}}}}"
    variant = pipeline(BASE + over).variants["prod"]
    assert (variant.dag.retries, variant.dag.name) == (5, "x")
    job = variant.task_ids["a.b"].job
    assert job and (job.docker_image, job.execution_script) == ("j", "x")
    assert variant.task_ids["a.c"].arguments == {"key": "l"}


def test_notify_differs_name_by_name_and_null_takes_one_away() -> None:
    base = BASE.replace("retries: 1}", "retries: 1, notify: {failure: [ops], success: [team], retry: [ops]}}")
    over = "environments: {dev: {dag: {notify: {failure: null, success: [me]}}}, prod: {dag: {notify: null}}}"
    variants = pipeline(base + over).variants
    assert variants["dev"].dag.notify == Notify(success=["me"], retry=["ops"])
    assert variants["prod"].dag.notify is None


def test_a_parameter_differs_in_what_is_named() -> None:
    base = BASE.replace("retries: 1}", "retries: 1, params: {day: {type: string, default: a}, n: {type: integer}}}")
    variant = pipeline(base + "environments: {dev: {dag: {params: {day: {default: b}}}}}").variants["dev"]
    assert [(name, one.type, one.default) for name, one in variant.dag.params.items()] == [
        ("day", "string", "b"),
        ("n", "integer", None),
    ]


def test_checks_differ_key_by_key_and_null_takes_one_away() -> None:
    base = BASE.replace(
        "retries: 2}", "outputs: {o: {file: o.csv, rows: {at_least: 5}, columns: {a: integer, b: date}}}}"
    )
    over = "environments: {dev: {tasks: {a: {b: {outputs: {o: OVER}}}}}}"

    def checks(said: str) -> dict[str, Any]:
        task = pipeline(base + over.replace("OVER", said)).variants["dev"].task_ids["a.b"]
        assert task.filenames == {"o": "o.csv"}
        return task.checks.get("o", {})

    assert checks("{rows: {at_least: 1}}") == {"rows": {"at_least": 1}, "columns": {"a": "integer", "b": "date"}}
    assert checks("{rows: null, columns: {b: null, a: {at_least: 0}}}") == {
        "columns": {"a": {"type": "integer", "at_least": 0}}
    }
    assert checks("{rows: null, columns: null}") == {}


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ("{dag: {name: y}}", "3:29 dag.name cannot differ between environments"),
        ("{dag: {retries: -1}}", "3:38 retries: input should be greater"),
        ("{dag: {queue: q}}", "dag.queue has no value that holds everywhere"),
        ("{tasks: {a: {x: {}}}}", "there is no task or group 'a.x'; valid: 'b', 'c'"),
        ("{tasks: {a: {b: {needs: []}}}}", "needs is structure"),
        (
            "{tasks: {a: {b: {retires: 3}}}}",
            "the task has no 'retires'; write its usual value there first; did you",
        ),
        ("{tasks: {a: {c: {other: 3}}}}", "the task has no 'other'"),
        ("{tasks: {a: {c: {job: {docker_image: j}}}}}", "the task has no 'job'"),
        ("{tasks: {a: {b: 3}}}", "b must be a mapping with the values that differ"),
        ("{tasks: {a: {b: {job: {docker_image: 3}}}}}", "docker_image must be text, not 3"),
        (
            "{tasks: {a: {b: {job: {docker_imge: j}}}}}",
            "3:45 a job has no key 'docker_imge'; did you mean 'docker_image'?",
        ),
        ("{tasks: {a: {b: {job: {operator_type: x}}}}}", "a job has no key 'operator_type'"),
        ("{tags: [x]}", "unknown key 'tags' in environments.prod"),
    ],
)
def test_an_overlay_that_cannot_be_is_a_problem_at_its_own_place(over: str, said: str) -> None:
    found = problems(f"{BASE}environments: {{prod: {over}}}")
    assert said in "\n".join(found)
    assert all(problem.startswith("3:") for problem in found)
