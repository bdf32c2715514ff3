"""Two releases are compared task by task and field by field, and nothing in them can disturb that."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.delivery.described import READ, changed, release
from windlass.delivery.plan.changes import pipeline_lines
from windlass.delivery.plan.compare import PipelineChange, Side, compare_releases, requires_in
from windlass.delivery.plan.fields import compare_fields
from windlass.delivery.plan.impact import RULES, Subject, impact_of
from windlass.delivery.release.archive import Release
from windlass.delivery.release.fingerprint import fingerprints
from windlass.spec.resolved import Resolved

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OLD, NEW = "a" * 16, "b" * 16


def compare(before: Release, after: Release) -> tuple[PipelineChange, ...]:
    return compare_releases(Side(before), Side(after), NOW)


def lines(before: str, after: str) -> list[str]:
    (change,) = compare(release(before), release(after))
    return list(pipeline_lines(change))


def test_a_longer_time_limit_is_one_field_of_one_task() -> None:
    assert lines(READ, changed(READ, ("10 minutes", "20 minutes"))) == [
        "  ~ pipeline read [behaviour]",
        "      ~ task transform.score: job.execution_time 10 minutes -> 20 minutes [behaviour]",
    ]


def test_a_renamed_task_is_one_removed_and_one_added() -> None:
    assert lines(READ, changed(READ, ("    keep:", "    deliver:"))) == [
        "  ~ pipeline read [breaking]",
        "      + task load.deliver [behaviour]",
        "      - task load.keep [breaking]",
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("scores/{ds}.csv", "new/{ds}.csv", "~ task load.keep: to scores/{ds}.csv -> new/{ds}.csv [breaking]"),
        ("out: out.csv", "out: out.json", "~ task transform.score: outputs.out out.csv -> out.json [breaking]"),
        ("out: out.csv", "out: other.csv", "~ task transform.score: outputs.out out.csv -> other.csv [behaviour]"),
        (
            "out: out.csv",
            "out: {file: out.csv, rows: {at_least: 1}}",
            '+ task transform.score: checks {"out": {"rows": {"at_least": 1}}} [behaviour]',
        ),
        ("description: Reads.", "description: Reads more.", "~ description Reads. -> Reads more. [cosmetic]"),
        ("tags: [a]", "tags: [b]", '~ tags ["a"] -> ["b"] [cosmetic]'),
        ("key: in.csv", "key: in.csv, limit: 5", "+ task extract.rows: limit 5 [behaviour]"),
        ("key: in.csv", "key: in.csv, password: x", "+ task extract.rows: password (hidden) [behaviour]"),
        ("key: in.csv", 'key: in.csv, a: "1"', '+ task extract.rows: a "1" [behaviour]'),
        (
            'to: "scores/{ds}.csv"',
            'to: "scores/{ds}.csv", needs: [extract]',
            '+ task load.keep: needs ["extract.rows"] [behaviour]',
        ),
    ],
)
def test_each_field_is_told_with_what_it_means(old: str, new: str, line: str) -> None:
    assert f"      {line}" in lines(READ, changed(READ, (old, new)))


def test_a_schedule_that_changes_shows_the_next_runs_before_and_after() -> None:
    assert lines(READ, changed(READ, ("0 6 * * *", "0 7 * * 1")))[1:] == [
        "      ~ schedule 0 6 * * * -> 0 7 * * 1 [behaviour]",
        "      - next runs: 2026-11-23 06:00+01:00, 2026-11-24 06:00+01:00, 2026-11-25 06:00+01:00 (Europe/Berlin)",
        "      + next runs: 2026-11-23 07:00+01:00, 2026-11-30 07:00+01:00, 2026-12-07 07:00+01:00 (Europe/Berlin)",
    ]
    never = changed(READ, ('schedule: "0 6 * * *"', "schedule: null"))
    assert lines(READ, never)[-1] == "      + next runs: none"


def test_a_pipeline_that_is_written_in_another_way_and_means_the_same_is_cosmetic() -> None:
    (change,) = compare(release(READ), release("# a comment\n" + READ))
    assert (change.kind, change.impact, change.fields, change.code) == ("changed", "cosmetic", (), ())
    assert "means the same" in (change.note or "")


def test_defaults_that_are_written_out_are_no_change() -> None:
    (change,) = compare(release(READ), release(changed(READ, ("tags: [a]", "tags: [a], retries: 0, critical: false"))))
    assert change.impact == "cosmetic"


def test_the_same_yaml_with_other_code_names_the_files() -> None:
    (change,) = compare(release(READ), release(READ, code="You say"))
    assert list(pipeline_lines(change)) == ["  ~ pipeline read: same YAML, other code: operators/say.py [behaviour]"]


def test_a_bound_that_changes_is_named_and_another_way_to_write_a_check_is_no_change() -> None:
    before = changed(READ, ("out: out.csv", "out: {file: out.csv, columns: {id: {type: integer, nulls: false}}}"))
    after = changed(before, ("nulls: false", "at_least: 1"))
    assert lines(before, after)[1:] == [
        "      + task transform.score: checks.out.columns.id.at_least 1 [behaviour]",
        "      - task transform.score: checks.out.columns.id.nulls false [behaviour]",
    ]
    for one, other in (
        ("out: out.csv", "out: {file: out.csv}"),
        ("out: {file: out.csv, columns: {a: integer}}", "out: {file: out.csv, columns: {a: {type: integer}}}"),
    ):
        (change,) = compare(
            release(changed(READ, ("out: out.csv", one))), release(changed(READ, ("out: out.csv", other)))
        )
        assert (change.impact, change.fields) == ("cosmetic", ())


def test_what_python_calls_equal_and_yaml_does_not_is_a_change() -> None:
    before = changed(READ, ("key: in.csv", "key: in.csv, limit: 1"))
    for other, shown in (("true", "true"), ("1.0", "1.0"), ('"1"', '"1"')):
        after = changed(before, ("limit: 1", f"limit: {other}"))
        assert f"      ~ task extract.rows: limit 1 -> {shown} [behaviour]" in lines(before, after)


def test_a_new_pipeline_that_runs_on_demand_has_no_next_runs() -> None:
    on_demand = changed(READ, ('schedule: "0 6 * * *"', "schedule: null"))
    (change,) = compare_releases(Side(None), Side(release(on_demand)), NOW)
    assert list(pipeline_lines(change)) == ["  + pipeline read [behaviour]"]


def test_another_version_of_a_model_is_named_as_the_reason() -> None:
    (change,) = compare(release(READ, models={"digits": OLD}), release(READ, models={"digits": NEW}))
    assert (change.kind, change.code) == ("rebuilt", ("model digits",))


def test_other_code_beside_changed_fields_is_told_too() -> None:
    before, after = release(READ), release(changed(READ, ("10 minutes", "20 minutes")), code="You say")
    (change,) = compare(before, after)
    assert (change.kind, change.code) == ("changed", ("operators/say.py",))
    assert "      ~ other code: operators/say.py" in pipeline_lines(change)


def test_an_older_release_says_why_no_fields_are_shown() -> None:
    before, after = release(READ, described=False), release(changed(READ, ("10 minutes", "20 minutes")))
    (change,) = compare(before, after)
    assert (change.kind, change.impact, change.fields) == ("changed", "behaviour", ())
    note = f"release {before.digest[:12]} has no pipelines/read.json, an earlier windlass built it"
    assert change.note == f"no fields are shown: {note}"
    assert compare(release(READ, described=False), release(READ))[0:] == ()


HOSTILE = {
    "not JSON": b"{",
    "deep": b"[" * 100_000,
    "deep mapping": b'{"format":1,"dag":{"name":"read"},"tasks":{"a":' + b'{"a":' * 80 + b"1" + b"}" * 82,
    "not a number": b'{"format":1,"dag":{"name":"read","retries":NaN},"tasks":{}}',
    "a huge number": b'{"format":1,"dag":{"name":"read","retries":' + b"9" * 10_000 + b'},"tasks":{}}',
    "another name": b'{"format":1,"dag":{"name":"other"},"tasks":{}}',
    "a list": b"[]",
    "tasks as a list": b'{"format":1,"dag":{"name":"read"},"tasks":[]}',
    "a task as text": b'{"format":1,"dag":{"name":"read"},"tasks":{"a":"b"}}',
    "another format": b'{"format":2,"dag":{"name":"read"},"tasks":{}}',
    "not UTF-8": b"\xff\xfe\xfa",
    "too many values": b'{"format":1,"dag":{"name":"read","x":[' + b"1," * 250_000 + b'1]},"tasks":{}}',
    "too long": b'{"format":1,"tasks":{},"dag":{"name":"read","x":"' + b"a" * 4_000_000 + b'"}}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_description_of_a_pipeline_is_not_used_and_stops_nothing(name: str) -> None:
    before, after = release(READ), release(changed(READ, ("10 minutes", "20 minutes")))
    forged = Release(after.digest, after.manifest, {**after.files, "pipelines/read.json": HOSTILE[name]})
    (change,) = compare(before, forged)
    assert (change.kind, change.fields) == ("changed", ())
    assert "pipelines/read.json of release" in (change.note or "")


def test_hostile_values_in_a_description_are_only_text() -> None:
    dag = {"name": "read", "schedule": [1], "timezone": {"a": 1}, "start_date": 7, "\u202ex": "\x1b[31m\n| `"}
    forged = json.dumps({"format": 1, "dag": dag, "tasks": {"a.b\n.c": {"inputs": 3, "outputs": "x"}}}).encode()
    before, after = release(READ), release(changed(READ, ("10 minutes", "20 minutes")))
    (change,) = compare(before, Release(after.digest, after.manifest, {**after.files, "pipelines/read.json": forged}))
    text = "\n".join(pipeline_lines(change))
    assert "\x1b" not in text and "\u202e" not in text
    assert text.count("\n") == len(change.fields) + 2
    assert "+ next runs: unknown" in text


def test_the_description_is_no_part_of_what_runs_and_other_files_beside_it_are() -> None:
    files = dict(release(READ).files)
    assert fingerprints(files) == fingerprints({**files, "pipelines/read.json": b"{}"})
    assert fingerprints(files) != fingerprints({**files, "pipelines/read.py": b""})


OVERLAID = (
    READ + "environments: {prod: {tasks: {transform: {score: {job: {execution_time: 1 hour, docker_image: big}}}}}}\n"
)


def test_an_environment_that_overlays_a_pipeline_is_compared_as_it_is_there() -> None:
    before, after = release(OVERLAID), release(changed(OVERLAID, ("1 hour", "2 hours")))
    (there,) = compare_releases(Side(before, "prod"), Side(after, "prod"), NOW)
    assert [one.describe() for one in there.fields] == ["~ task transform.score: job.execution_time 1 hour -> 2 hours"]
    (elsewhere,) = compare_releases(Side(before, "dev"), Side(after, "dev"), NOW)
    assert (elsewhere.fields, elsewhere.kind) == ((), "rebuilt")
    assert requires_in(Side(after, "prod")).images == ["big"]
    assert requires_in(Side(after, "dev")).images == ["python"]


def test_every_rule_has_a_change_that_it_decides() -> None:
    decided = {
        ("pipeline",): "removed",
        ("task",): "removed",
        ("task", "outputs"): "removed",
        ("task", "outputs", "x"): "removed",
        ("project",): "removed",
        ("setting", "prefix"): "changed",
        ("setting", "s3", "code"): "changed",
        ("need", "connection"): "missing",
    }
    for path, kind in decided.items():
        assert impact_of(Subject(path, kind)) == "breaking", path
        assert impact_of(Subject(path, "added")) == ("breaking" if path[0] == "setting" else "behaviour")
    for path in (
        ("dag", "description"),
        ("dag", "tags"),
        ("dag", "docs"),
        ("task", "doc_md"),
        ("dag", "params", "x", "title"),
    ):
        assert impact_of(Subject(path, "changed")) == "cosmetic"
    assert impact_of(Subject(("dag", "retries"), "changed")) == "behaviour"
    assert len({(rule.pattern, rule.kind) for rule in RULES}) == len(RULES)


Scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, "a", "b", "", "1"]))
Keys = st.sampled_from(["a", "b", "a.b", "job", "outputs", "description"])
Values = st.recursive(
    Scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(Keys, inner, max_size=3)),
    max_leaves=6,
)
Tasks = st.dictionaries(st.sampled_from(["x.a", "x.b", "y.a"]), st.dictionaries(Keys, Values, max_size=3), max_size=3)
Pipelines = st.builds(Resolved, st.dictionaries(Keys, Values, max_size=3), Tasks)


@settings(deadline=None)
@given(Pipelines)
def test_a_pipeline_compared_with_itself_says_nothing(pipeline: Resolved) -> None:
    assert compare_fields(pipeline, pipeline) == ()


@settings(deadline=None)
@given(Pipelines, Pipelines)
def test_every_leaf_that_differs_is_in_exactly_one_change(before: Resolved, after: Resolved) -> None:
    changes = compare_fields(before, after)
    places = [(change.task, change.path) for change in changes]
    assert len(set(places)) == len(places)
    assert len({(change.task, change.as_json()["field"]) for change in changes}) == len(changes)
    old, new = _leaves(before), _leaves(after)
    differing = {place for place in old.keys() | new.keys() if old.get(place, "-") != new.get(place, "-")}
    for place in differing:
        covering = [one for one in places if one[0] == place[0] and place[1][: len(one[1])] == one[1]]
        assert len(covering) == 1, (place, places)
    for task, path in places:
        assert any(one == task and leaf[: len(path)] == path for one, leaf in differing), (task, path)


def _leaves(pipeline: Resolved) -> dict[tuple[str | None, tuple[str, ...]], str]:
    found: dict[tuple[str | None, tuple[str, ...]], str] = {}

    def walk(task: str | None, path: tuple[str, ...], value: Any) -> None:
        if isinstance(value, dict):
            found[task, path] = "{}"
            for key, inner in value.items():
                walk(task, (*path, key), inner)
        else:
            found[task, path] = json.dumps(value, sort_keys=True)

    for key, value in pipeline.dag.items():
        walk(None, (key,), value)
    for task, fields in pipeline.tasks.items():
        walk(task, (), fields)
    return found
