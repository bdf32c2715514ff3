"""Names that Python, S3 or Airflow could not hold are refused, whatever has them; all others do no harm."""

import ast
import keyword
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.conftest import examples
from windlass.catalog.operator import Catalog
from windlass.catalog.read import read_catalog
from windlass.lint.check import check_project
from windlass.render.dag import render_dag
from windlass.render.surroundings import Surroundings
from windlass.spec.defaults import Defaults
from windlass.spec.environment import RuntimeSettings
from windlass.spec.model import Model
from windlass.spec.names import project_name
from windlass.spec.pipeline import Pipeline
from windlass.spec.task import Task, is_foreign
from windlass.spec.template import TemplateFile, parse_reference

JOB = {"docker_image": "py", "execution_time": "1 minute", "execution_script": "run"}
HARMLESS = [
    "a",
    "z9",
    "a_",
    "a__b",
    "x" * 63,
    "print",
    "list",
    "open",
    "exec",
    "type",
    "match",
    "case",
    "json",
    "os",
    "sys",
]
HARMLESS += [
    "datetime",
    "timedelta",
    "by_environment",
    "cross_downstream",
    "only_if",
    "skip_if",
    "dag",
    "self",
    "needs",
]
NOT_NAMES = [
    *keyword.kwlist,
    "",
    "A",
    "aB",
    "_",
    "_a",
    "__import__",
    "__init__",
    "1",
    "1a",
    "a b",
    " a",
    "a ",
    "a\n",
    "\na",
]
NOT_NAMES += [
    "a-b",
    "a.b",
    "a/b",
    "a\\b",
    "../a",
    "a:b",
    "a;b",
    "a,b",
    "a, b",
    "a=1",
    "a()",
    "a'b",
    'a"b',
    "a#b",
    "{{ a }}",
]
NOT_NAMES += [
    "x" * 64,
    "x" * 300,
    "a\0",
    "a\u200b",
    "a\u2028b",
    "\ufeffa",
    "a\u0301",
    "é",
    "ﬁle",
    "ａ",
    "ª",
    "ℎ",
    "а",
    "İ",
    "ſ",
    "K",
]
NAMES = (
    st.text(max_size=8)
    | st.sampled_from([*NOT_NAMES, *HARMLESS])
    | st.from_regex(r"[a-zＡ-Ｚª-ºſﬁ_]\w{0,3}", fullmatch=True)
)


def is_name(name: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is not None and not keyword.iskeyword(name)


def whole(**given: str) -> dict[str, Any]:
    """A pipeline in which every kind of name is `a`, but those that are given."""
    name = (
        dict.fromkeys(["dag", "group", "inner", "task", "port", "taken", "param", "item", "environment"], "a") | given
    )
    task = {"job": JOB, "outputs": {name["port"]: "a.csv"}}
    script = {**JOB, "execution_script": f"{{{name['item']}}} {{{name['taken']}}}"}
    first = f"{name['group']}.{name['inner']}.{name['task']}"
    each = {"job": script, "for_each": {"as": name["item"], "in": ["x", "y"]}}
    each["inputs"] = {name["taken"]: f"{first}.{name['port']}"}
    own = {name["inner"]: {name["task"]: task}}
    return {
        "dag": {
            "name": name["dag"],
            "base_resource": "cpu",
            "params": {name["param"]: {"type": "string", "default": ""}},
        },
        "tasks": {name["group"]: own, "later": {"each": each, "free": {"job": JOB, "needs": [first]}}},
        "environments": {name["environment"]: {"dag": {"retries": 1}}},
    }


def in_pipeline(kind: str) -> Callable[[str], object]:
    return lambda name: Pipeline.model_validate(whole(**{kind: name}))


JOB_OF_MODEL = {**JOB, "resource_flavor": "cpu"}
TRAINED: dict[str, Any] = {
    "data": {"a": "a.csv"},
    "code": ["a.py"],
    "train": JOB_OF_MODEL,
    "outputs": {"metrics": "m.json"},
}
BUCKETS = {"code": "c", "models": "m", "data": "d"}
PARAMETER = {"type": "string", "description": "d"}
KINDS: dict[str, Callable[[str], object]] = {
    **{
        kind: in_pipeline(kind)
        for kind in ("dag", "group", "inner", "task", "port", "taken", "param", "item", "environment")
    },
    "template's parameter": lambda name: TemplateFile.model_validate(
        {"template": {"description": "d", "parameters": {name: PARAMETER}}}
    ),
    "environment of defaults": lambda name: Defaults.model_validate({"environments": {name: {}}}),
    "environment's own": lambda name: RuntimeSettings.model_validate({"name": name, "prefix": "a", "s3": BUCKETS}),
    "receiver": lambda name: RuntimeSettings.model_validate(
        {"name": "a", "prefix": "a", "s3": BUCKETS, "notify": {name: {"connection": "c"}}}
    ),
    "model's data": lambda name: Model.model_validate({**TRAINED, "data": {name: "a.csv"}}),
    "model's parameter": lambda name: Model.model_validate({**TRAINED, "parameters": {name: 1}}),
    "model's output": lambda name: Model.model_validate({**TRAINED, "outputs": {"metrics": "m.json", name: "a.csv"}}),
    "model's gate": lambda name: Model.model_validate({**TRAINED, "gates": {name: {"at_least": 1}}}),
}


def accepts(kind: str, name: str) -> bool:
    try:
        KINDS[kind](name)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_name_is_refused_and_all_others_are_taken(kind: str) -> None:
    assert [name for name in NOT_NAMES if accepts(kind, name)] == []
    assert [name for name in HARMLESS if not accepts(kind, name)] == []


@examples(30)
@given(NAMES, st.sampled_from(sorted(KINDS)))
def test_any_text_is_taken_exactly_where_it_is_a_name(name: str, kind: str) -> None:
    assert accepts(kind, name) == is_name(name)


@examples(100)
@given(NAMES)
def test_a_template_and_a_project_are_words_too(name: str) -> None:
    reference = parse_reference(f"{name}@1")
    assert reference is None or re.fullmatch(r"[a-z][a-z0-9_]{0,62}", reference[0])
    try:
        project = project_name(name)
    except ValueError:
        return
    assert is_name(project)


@examples(20)
@given(st.sampled_from(HARMLESS) | st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True).filter(is_name), st.data())
def test_no_name_hides_another_in_the_module(name: str, data: st.DataObject) -> None:
    kinds = ["dag", "group", "inner", "task", "port", "taken", "param", "item", "environment"]
    named = {kind: data.draw(st.sampled_from([name, "a"])) for kind in kinds}
    if named["item"] == named["taken"] or "__" in named["task"]:
        return  # lint says so
    pipeline = Pipeline.model_validate(whole(**named))
    tree = ast.parse(render_dag(pipeline, "pipelines/x.yml", Surroundings("digits", Catalog())))
    compile(tree, "x.py", "exec")
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = [node.id for node in names if isinstance(node.ctx, ast.Store)]
    assert len(stored) == len(set(stored)) and not imported & set(stored)
    assert {node.id for node in names if isinstance(node.ctx, ast.Load)} <= imported | set(stored)


def can_be_a_file(name: str) -> bool:
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name and len(name.encode()) < 200


def shown(path: str) -> str:
    return path if path.isprintable() else repr(path)[1:-1]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What lint says about files of all these names, by path."""
    folder = tmp_path_factory.mktemp("names")
    texts = {
        "pipelines/%s.yml": "dag: {name: a}\ntasks: {a: {b: {operator_type: notify, connection: c, message: m}}}\n",
        "models/%s.yml": "data: {a: s3://a/b}\n",
        "environments/%s.yml": "s3: {code: c, models: m, data: d}\nprefix: ab\n",
        "templates/%s@1.yml": "template: {description: d}\n",
        "operators/%s.py": "class A: ...\n",
    }
    for pattern, text in texts.items():
        for name in filter(can_be_a_file, NOT_NAMES):
            path = folder / (pattern % name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.replace("{name: a}", f"{{name: {name!r}}}") if "A" not in name else text)
    report = check_project(folder, None)
    found: dict[str, list[str]] = {}
    for problem in report.problems:
        found.setdefault(problem.path, []).append(problem.message)
    return found


@pytest.mark.parametrize("pattern", ["pipelines/%s.yml", "models/%s.yml", "environments/%s.yml", "templates/%s@1.yml"])
def test_a_file_whose_name_is_no_name_is_a_problem(pattern: str, said: dict[str, list[str]]) -> None:
    names = [name for name in filter(can_be_a_file, NOT_NAMES) if "@" not in pattern or not keyword.iskeyword(name)]
    unsaid = [name for name in names if shown(pattern % name) not in said]  # a template's name is never one in Python
    assert unsaid == []


def test_an_operators_file_whose_name_is_no_name_is_no_operator(tmp_path: Path) -> None:
    (tmp_path / "operators").mkdir()
    for name in filter(can_be_a_file, NOT_NAMES):
        (tmp_path / f"operators/{name}.py").write_text("class A: ...\n")
    for name in ("none", "true", "job", "zone_info", "foo_bar", "foo__bar", "a"):
        (tmp_path / f"operators/{name}.py").write_text(
            f"class {''.join(part.capitalize() for part in name.split('_'))}_: ...\nclass FooBar: ...\nclass A: ...\n"
        )
    catalog = read_catalog(tmp_path, set())
    assert set(catalog.operators) == {"a", "foo__bar"}
    assert any("has the class of operator" in str(problem) for problem in catalog.problems)


PROVIDER = "airflow.providers.standard.operators.bash.BashOperator"


@pytest.mark.parametrize("name", ["a-b", "a b", "a, b", "x.y", "class", "ü", "", "1a", "task_id", "dag", "task_group"])
def test_an_argument_of_an_operator_of_airflow_is_a_name_and_not_its_place(name: str) -> None:
    with pytest.raises(ValidationError, match=r"it is no name in Python|follows from the place of the task"):
        Task.model_validate({"operator_type": PROVIDER, "bash_command": "true", name: 1})


@pytest.mark.parametrize(
    "path", ["airflow.class.X", "airflow.import.x.Y", "airflow.x.True", "airflow.x.None", "os.System"]
)
def test_an_import_path_with_a_word_of_python_is_no_operator(path: str) -> None:
    assert not is_foreign(path) and is_foreign(PROVIDER)
