"""What a pipeline needs of an Airflow is read out of its YAML."""

import pytest

from windlass.spec.document import parse_document
from windlass.spec.needs import requires_of
from windlass.spec.pipeline import read_pipeline
from windlass.spec.resolved import Resolved, resolved


def needs(arguments: str) -> dict[str, list[str]]:
    text = f"dag: {{name: x}}\ntasks: {{g: {{t: {{operator_type: y, {arguments}}}}}}}\n"
    pipeline = read_pipeline(parse_document("x.yml", text.encode()))
    assert pipeline is not None
    return {kind: names for kind, names in requires_of([resolved(pipeline)]).__dict__.items() if names}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("connection: dwh", {"connections": ["dwh"]}),
        ("aws_conn_id: b, conn_id: a", {"connections": ["a", "b"]}),
        ("pool: etl", {"pools": ["etl"]}),
        ("pool: default_pool", {}),
        ("connection: null, some_conn_id: 3", {}),
        ('connection: ""', {}),
        ('connection: "{{ params.x }}"', {}),
        ('connection: "{{ var.value.which }}"', {"variables": ["which"]}),
        ('sql: "SELECT {{ var.value.limit }}"', {"variables": ["limit"]}),
        ("sql: \"{{ var.json.feed.url }} {{ var.json.get('other').x }}\"", {"variables": ["feed", "other"]}),
        ("sql: \"{{ var.value['a-b'] }}\"", {"variables": ["a-b"]}),
        ("sql: \"{{ var.value.get('a', 'b') }}\"", {}),
        ("sql: \"{{ conn.dwh.host }}{{ conn.get('other').port }}\"", {"connections": ["dwh", "other"]}),
        ('sql: "{% if var.value.on %}1{% endif %}"', {"variables": ["on"]}),
        ('sql: "var.value.x conn.y"', {}),
        ('sql: "{{ my.var.value.x }}"', {}),
        ('deep: {a: [{b: "{{ var.value.x }}"}]}', {"variables": ["x"]}),
    ],
)
def test_names_are_found_where_airflow_would_look_them_up(arguments: str, expected: dict[str, list[str]]) -> None:
    assert needs(arguments) == expected


def test_a_jobs_script_is_read_too() -> None:
    text = 'dag: {name: x}\ntasks: {g: {t: {job: {docker_image: a, execution_time: 1 minute, execution_script: "%s"}}}}'
    pipeline = read_pipeline(parse_document("x.yml", (text % "echo {{ conn.dwh.host }}").encode()))
    assert pipeline is not None
    assert requires_of([resolved(pipeline)]).connections == ["dwh"]
    assert requires_of([resolved(pipeline)]).images == ["a"]


def test_a_long_text_is_read_in_no_time() -> None:
    assert needs(f'sql: "{"{{ var.value." * 20_000}"') == {}


def test_what_a_forged_release_holds_in_place_of_names_needs_nothing() -> None:
    odd = {"job": 3, "connection": ["x"], "pool": {"a": 1}, "some_conn_id": None, "x": [{"y": [None, 1.5, True]}]}
    forged = Resolved({"pool": 7, "base_resource": ["x"]}, {"a": odd, "b": {"job": {"docker_image": 1}}})
    assert not any(requires_of([forged]).__dict__.values())
