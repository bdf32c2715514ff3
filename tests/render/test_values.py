"""Values come back from the rendered module exactly as they were written, whatever is in them."""

import ast
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.catalog.operator import Argument, Catalog, Operator
from windlass.render.dag import render_dag
from windlass.render.literal import Call, Reference, docstring, identifier, laid_out, literal
from windlass.render.surroundings import Surroundings
from windlass.spec.pipeline import Dag, Group, Job, Pipeline, Task

TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        '"""',
        "'''",
        "\\",
        "\\'",
        '\\"',
        "{{ ds }}",
        "{% raw %}",
        "{port}",
        "\r\n",
        "\0",
        "#}",
        "${X}",
        '"\'"',
        "\u2028\u202e",
    ]
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
CATALOG = Catalog({"say": Operator("say", "Say", "", {"value": Argument("Any")}, {"*": ""}, {})}, frozenset({"say"}))


def keyword_values(source: str, function: str) -> dict[str, Any]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    (call,) = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == function]
    return {word.arg: word.value for word in call.keywords if word.arg}


@given(TEXT, TEXT, TEXT.filter(bool), PLAIN, TEXT.map(lambda text: text[:100]))
def test_any_value_comes_back_exactly(description: str, owner: str, script: str, value: Any, tag: str) -> None:
    job = Job(docker_image="i", execution_time=timedelta(seconds=1), execution_script=script)
    saying = Task.model_validate({"operator_type": "say", "value": value})
    pipeline = Pipeline(
        dag=Dag(name="x", description=description, owner=owner, tags=[tag]),
        tasks={"a": Group.model_validate({"b": Task(job=job), "c": saying})},
    )
    source = render_dag(pipeline, "pipelines/x.yml", Surroundings("digits", CATALOG))
    dag, said = keyword_values(source, "DAG"), keyword_values(source, "Say")
    if description:
        assert ast.literal_eval(dag["description"]) == description
    assert ast.literal_eval(dag["default_args"]) == {"owner": owner, "retries": 0}
    assert ast.literal_eval(dag["tags"]) == [tag]
    assert ast.literal_eval(keyword_values(source, "JobOperator")["execution_script"]) == script
    assert ast.literal_eval(said["value"]) == value
    assert repr(ast.literal_eval(said["value"])) == repr(value)


@settings(max_examples=40)
@given(st.lists(PLAIN, min_size=30, max_size=30), st.lists(TEXT, min_size=30, max_size=30))
def test_a_layout_never_changes_a_value(values: list[Any], texts: list[str]) -> None:
    for value in values:
        assert ast.literal_eval(str(laid_out(value, 4, 100, 1))) == value
    for text in texts:
        assert isinstance(ast.literal_eval(str(docstring([text, "Rendered."]))), str)


def test_ruff_format_leaves_odd_texts_as_they_are(tmp_path: Path) -> None:
    texts = [
        '"',
        "'",
        "'\"",
        '""\'',
        "\\",
        '\\\\"',
        "a\tb",
        "\x00\x7f\x1b",
        "ü\u2028\U0001f600",
        "\ufeff",
        "'\\'",
        "{{ 'x' }}",
    ]
    lines = [f"x = {literal(text)}" for text in texts]
    values: list[Any] = [{text: [text, {text: None}] for text in texts}, [[text] * 20 for text in texts]]
    values += [["字" * 50, "x" * 20], ["e\u0301" * 50, "x" * 20]]  # wider than long, and longer than wide
    lines += [f"x = {laid_out(value, 0, 4, 0)}" for value in values]
    path = tmp_path / "odd.py"
    path.write_text("\n".join([docstring(['Says "hi", \\ and """.', "Rendered " * 20]), "", *lines, ""]))
    command = [sys.executable, "-m", "ruff", "format", "--check", "--diff", "--isolated", "--line-length", "110", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["a-b", "a b", "class", "x; import os", "a.class", "", "1a", "ü"])
def test_only_a_python_name_becomes_bare_code(name: str) -> None:
    with pytest.raises(ValueError, match="is not a Python name"):
        identifier(name)
    with pytest.raises(ValueError, match="is not a Python name"):
        literal(Call(name))
    with pytest.raises(ValueError, match="is not a Python name"):
        literal(Reference(name, "port"))


def test_what_has_no_literal_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no literal"):
        literal(object())


@pytest.mark.parametrize(
    ("seconds", "source"),
    [
        (90, "timedelta(seconds=90)"),
        (600, "timedelta(minutes=10)"),
        (7200, "timedelta(hours=2)"),
        (172800, "timedelta(days=2)"),
        (90000, "timedelta(hours=25)"),
    ],
)
def test_a_duration_is_written_in_its_largest_whole_unit(seconds: int, source: str) -> None:
    assert literal(timedelta(seconds=seconds)) == source
