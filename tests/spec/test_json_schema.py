"""The JSON Schemas: what windlass takes they take, and what it refuses for its form they refuse."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.lint.example_project import kind_of
from windlass.catalog.annotation import fits
from windlass.catalog.argument_schema import FILE, argument_schema
from windlass.catalog.json_schema import (
    Names,
    case_schema,
    defaults_schema,
    environment_schema,
    model_schema,
    names_of,
    pipeline_schema,
    template_schema,
)
from windlass.catalog.operator import Argument
from windlass.catalog.read import STANDARD, read_catalog
from windlass.cli.main import windlass
from windlass.cli.schema import KINDS
from windlass.spec.case import Case
from windlass.spec.defaults import Defaults
from windlass.spec.document import parse_document
from windlass.spec.environment import Environment
from windlass.spec.json_schema import unexplained
from windlass.spec.model import Model
from windlass.spec.pipeline import Pipeline, read_pipeline
from windlass.spec.shelf import Shelf
from windlass.spec.template import TemplateFile

ROOT = Path(__file__).parents[2]
RULES = ROOT / "tests/lint/rules"
DOCS = ROOT / "docs/schema"
JOB = "job: {docker_image: i, execution_time: 1 hour, execution_script: 'x'}"

SAID_BY_SCHEMAS = {"schema", "unknown-key", "known-argument", "known-operator"}
"""The rules that a schema says too; all others look at other files, at other parts of the file or at clocks."""

ONLY_LINT = {
    "known-argument/overlay.yml": "only the pipeline itself tells which operator an overlay is about",
    "schema/checks_differ.yml": "an overlay is compared with the pipeline itself",
    "known-port/everywhere.yml": "nothing takes the item of for_each",
    "dag: {name: x, end_date: 2025-01-01}": "two values are compared",
    "params: {a: {type: integer, default: 5, maximum: 4}}": "two values are compared",
    "params: {a: {type: integer, default: true}}": "the type is a value",
    "params: {a: {type: string, default: x, enum: [y]}}": "two values are compared",
    "params: {a: {type: string, format: date, default: x}}": "the format is a value",
    "params: {a: {type: string, minimum: 1}}": "the type is a value",
    "schedule: '@daily', params: {a: {type: integer}}": "two keys are compared",
}
"""What JSON Schema cannot say, or only in a way that nobody could read."""


def validator(schema: dict[str, Any]) -> Draft7Validator:
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def pipelines_of(project: Path, names: Names | None = None) -> Draft7Validator:
    catalog = read_catalog(project, {path.stem for path in STANDARD.glob("*.py")})
    assert not catalog.problems
    return validator(pipeline_schema(catalog, names or Names()))


@pytest.fixture(scope="module")
def golden() -> Draft7Validator:
    return pipelines_of(ROOT / "tests/render/project")


@pytest.fixture(scope="module")
def standard() -> Draft7Validator:
    return pipelines_of(ROOT / "tests/lint/project")


@pytest.fixture(scope="module")
def others() -> dict[str, Draft7Validator]:
    """The schemas of all other files."""
    catalog = read_catalog(ROOT / "tests/lint/project", {path.stem for path in STANDARD.glob("*.py")})
    return {
        "model": validator(model_schema(Names())),
        "environment": validator(environment_schema()),
        "case": validator(case_schema()),
        "template": validator(template_schema(catalog, Names())),
        "defaults": validator(defaults_schema(catalog, Names())),
    }


def problems(schema: Draft7Validator, text: str | bytes) -> list[str]:
    document = parse_document("x.yml", text if isinstance(text, bytes) else text.encode())
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in schema.iter_errors(document.value)
    ]


GOOD = [
    *sorted((ROOT / "tests/render/golden").glob("*.yml")),
    *sorted((ROOT / "pipelines").glob("*.yml")),
    *sorted(ROOT.glob("examples/digits/pipelines/*.yml")),
    ROOT / "tests/render/flow.yml",
]
PAGE = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/language.md").read_text(encoding="utf-8"), re.S)
TEXTS = re.findall(
    r"""^ +\((["'])(.*?)\1, ["']""", (ROOT / "tests/spec/test_language.py").read_text(encoding="utf-8"), re.M
)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_a_pipeline_of_the_repository_fits(golden: Draft7Validator, path: Path) -> None:
    assert problems(golden, path.read_bytes()) == []


@pytest.mark.parametrize("text", PAGE, ids=lambda text: re.findall(r"name: (\w+)", text)[0])
def test_an_example_of_the_language_page_fits(standard: Draft7Validator, text: str) -> None:
    assert problems(standard, text) == []


@pytest.mark.parametrize("name", ["A", "a-b", "1a", "class", "a" * 64, "a b"])
def test_a_name_that_cannot_be_one_is_refused_wherever_names_stand(standard: Draft7Validator, name: str) -> None:
    task = f"{{{JOB}}}"
    for text in (
        f"dag: {{name: '{name}'}}\ntasks: {{a: {{b: {task}}}}}",
        f"dag: {{name: x}}\ntasks: {{'{name}': {{b: {task}}}}}",
        f"dag: {{name: x}}\ntasks: {{a: {{'{name}': {task}}}}}",
        f"dag: {{name: x}}\ntasks: {{a: {{b: {{{JOB}, inputs: {{'{name}': a.b.c}}}}}}}}",
        f"dag: {{name: x}}\ntasks: {{a: {{b: {task}}}}}\nenvironments: {{'{name}': {{}}}}",
    ):
        assert problems(standard, text), text


def test_models_and_environments_of_the_repository_fit() -> None:
    models, environments = validator(model_schema(Names())), validator(environment_schema())
    found = [*ROOT.glob("examples/*/models/*.yml"), *ROOT.glob("environments/*.yml")]
    assert len(found) >= 5
    for path in found:
        schema = models if path.parent.name == "models" else environments
        assert problems(schema, path.read_bytes()) == [], path


def test_templates_and_defaults_of_the_repository_fit(others: dict[str, Draft7Validator]) -> None:
    templates = [*ROOT.glob("examples/*/templates/*.yml"), *ROOT.glob("tests/lint/project/templates/*.yml")]
    defaults = [*ROOT.glob("examples/*/defaults.yml")]
    assert len(templates) >= 3 and defaults
    for path in templates:
        assert problems(others["template"], path.read_bytes()) == [], path
    for path in defaults:
        assert problems(others["defaults"], path.read_bytes()) == [], path


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_the_body_of_any_pipeline_fits_as_that_of_a_template_with_a_parameter_for_each_value(path: Path) -> None:
    catalog = read_catalog(ROOT / "tests/render/project", {path.stem for path in STANDARD.glob("*.py")})
    schema = validator(template_schema(catalog, Names()))
    value = parse_document("x.yml", path.read_bytes()).value
    template = {"template": {"description": "x"}, **{key: value[key] for key in ("dag", "tasks") if key in value}}
    template["dag"] = {key: item for key, item in template["dag"].items() if key != "name"}
    assert [error.message for error in schema.iter_errors(template)] == []
    assert [error.message for error in schema.iter_errors(_with_parameters(template, ()))] == []


def _with_parameters(value: Any, place: tuple[str, ...]) -> Any:
    """The same with a parameter instead of each text, number and the like below the body."""
    if isinstance(value, dict):
        kept = ("operator_type", "needs", "template")  # what a task is, and what decides between a group and a task
        return {key: item if key in kept else _with_parameters(item, (*place, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_parameters(item, place) for item in value]
    return "$[[ parameters.x ]]"


def wrong_cases() -> list[Path]:
    return [
        case
        for case in sorted(RULES.glob("*/*.yml"))
        if kind_of(case) not in ("roles", "owners")  # files without a schema
        and SAID_BY_SCHEMAS & set(re.findall(r"\[([a-z-]+)\]$", case.with_suffix(".out").read_text(), re.M))
    ]


@pytest.mark.parametrize("case", wrong_cases(), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_what_lint_refuses_for_its_form_is_refused(
    case: Path, standard: Draft7Validator, others: dict[str, Draft7Validator]
) -> None:
    schema = standard if kind_of(case) == "pipeline" else others[kind_of(case)]
    is_listed = f"{case.parent.name}/{case.name}" in ONLY_LINT
    assert bool(problems(schema, case.read_bytes())) != is_listed, "say it in the schema too, or why not in ONLY_LINT"


def test_short_texts_are_refused_exactly_where_the_language_refuses_them(standard: Draft7Validator) -> None:
    wrong = {"accepted": 0, "refused": 0}
    for _, text in TEXTS:
        for whole in (
            f"dag: {{name: x, {text}}}\ntasks: {{a: {{b: {{{JOB}}}}}}}",
            f"dag: {{name: x}}\ntasks: {{a: {{b: {{{text}}}}}}}",
            f"dag: {{name: x}}\ntasks: {{a: {{b: {{{JOB}, {text}}}}}}}",
        ):
            document = parse_document("x.yml", whole.encode())
            if document.problems or any(each in whole for each in ONLY_LINT):
                continue
            is_right = read_pipeline(document) is not None
            found = problems(standard, whole)
            if is_right and any("Additional properties" in each for each in found):
                continue  # rules refuse these: they are no arguments
            wrong["accepted" if is_right else "refused"] += 1
            assert is_right == (not found), whole
    assert wrong["refused"] > 40


@pytest.mark.parametrize("noun", [Pipeline, TemplateFile, Defaults, Model, Environment, Case])
def test_every_key_has_a_sentence_for_the_editor(noun: Any) -> None:
    assert unexplained(noun) == [], "write what these are for in spec/explained.py"


def test_an_own_operator_brings_its_arguments_defaults_and_words(tmp_path: Path) -> None:
    (tmp_path / "operators").mkdir()
    (tmp_path / "operators/fetch_it.py").write_text(
        "from typing import Literal\nfrom airflow.sdk import BaseOperator\n\n\nclass FetchIt(BaseOperator):\n"
        '    """Fetches it.\n\n    Args:\n        many: How many.\n    """\n\n    outputs = {"data": ".csv"}\n\n'
        "    def __init__(self, *, many: int = 3, how: Literal['a', 'b'], outputs: dict[str, str], **kwargs) -> None:\n"
        "        super().__init__(**kwargs)\n"
    )
    schema = pipelines_of(tmp_path)

    def found(keys: str) -> list[str]:
        return problems(schema, f"dag: {{name: x}}\ntasks: {{a: {{b: {{operator_type: fetch_it, {keys}}}}}}}")

    assert found("how: a, outputs: {data: x.csv}") == []
    assert found("many: '{n}', how: a, outputs: {data: x.csv}, for_each: {as: n, in: [1]}") == []
    for keys in (
        "how: c, outputs: {data: x.csv}",
        "outputs: {data: x.csv}",
        "how: a",
        "how: a, outputs: {data: x.txt}",
        "how: a, outputs: {date: x.csv}",
        "how: a, many: '3', outputs: {data: x.csv}",
        "how: a, mny: 3, outputs: {data: x.csv}",
    ):
        assert found(keys), keys
    many = schema.schema["definitions"]["task_fetch_it"]["properties"]["many"]
    assert many == {"description": "How many.", "default": 3}


def test_the_names_that_environments_declare_are_offered(tmp_path: Path) -> None:
    def environment(name: str, **keys: Any) -> Environment:
        return Environment.model_validate(
            {"name": name, "prefix": name + "x", "s3": {"code": "c", "models": "m", "data": "d"}, **keys}
        )

    names = names_of(
        {
            "dev": environment("dev", flavors={"small": {}, "odd": {}}, images={"i": "i"}, pools={"dwh": {"slots": 1}}),
            "prod": environment("prod", flavors={"small": {}}, images={"i": "i"}),
        }
    )
    assert (names.flavors, names.pools) == (["small"], ["dwh"])
    schema = pipelines_of(tmp_path, names)
    text = f"dag: {{name: x, base_resource: FLAVOR, pool: any}}\ntasks: {{a: {{b: {{{JOB}}}}}}}"
    assert problems(schema, text.replace("FLAVOR", "small")) == []
    assert problems(schema, text.replace("FLAVOR", "odd")) and problems(schema, text.replace("image: i", "image: j"))


ANNOTATIONS = (
    *("str", "int | None", "float", "bool", "list[str]", "dict[str, int]", "Optional[timedelta]", "Any", "str | int"),
    *("Literal['a', 3]", "Mapping[str, list[int]]", "list", "Path", "list[int] | str", "Union[str, Path]"),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([0.5, "a", "3", "2 hours", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(VALUES, st.sampled_from(ANNOTATIONS))
def test_an_argument_takes_exactly_what_lint_takes(value: Any, annotation: str) -> None:
    duration = {"type": "string", "pattern": "^[1-9][0-9]{0,6} (second|minute|hour|day)s?$"}
    schema = argument_schema(Argument(annotation)) | {"definitions": {"File": FILE, "Duration": duration}}
    assert Draft7Validator(schema).is_valid(value) == fits(value, annotation)


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_schema_is_what_windlass_without_a_repository_says(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compare_golden: Callable[[Path, str], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(
        windlass, ["schema", kind, "--out", str(tmp_path / "out")], env={"WINDLASS_ENVIRONMENTS": ""}
    )
    assert result.exit_code == 0, result.output
    compare_golden(DOCS / f"{kind}.json", (tmp_path / f"out/{kind}.json").read_text(encoding="utf-8"))


def test_the_schema_is_the_same_with_another_hash_seed(tmp_path: Path) -> None:
    script = "import sys; from windlass.cli.main import main; sys.argv[1:] = ['schema', 'pipeline']; main()"
    found = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1 and json.loads(found.pop())["$schema"]


def test_without_a_kind_a_folder_is_needed_and_all_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(windlass, ["schema"]).exit_code != 0
    assert CliRunner().invoke(windlass, ["schema", "--out", "s"]).exit_code == 0
    assert sorted(path.name for path in Path("s").iterdir()) == sorted(f"{kind}.json" for kind in KINDS)


def test_a_template_asks_for_its_parameters_and_defaults_need_not_be_repeated(tmp_path: Path) -> None:
    files = {
        "templates/etl@2.yml": (
            "template:\n  description: Takes a table.\n  parameters:\n"
            "    table: {type: string, description: Which., pattern: '[a-z]+'}\n"
            "    many: {type: integer, description: How many., default: 3}\n"
            "tasks: {a: {b: {operator_type: s3_to_file, key: '$[[ parameters.table ]]$[[ parameters.many ]]',"
            " outputs: {data: a.csv}}}}\n"
        ),
        "defaults.yml": "job: {docker_image: i}\noperators: {pg_to_csv: {connection: dwh}}\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    catalog = read_catalog(tmp_path, {path.stem for path in STANDARD.glob("*.py")})
    schema = validator(pipeline_schema(catalog, Names(), Shelf(tmp_path)))
    head = "dag: {name: x}\n"
    assert (
        problems(schema, f"{head}template: etl@2\nwith: {{table: clients}}\ntasks: {{a: {{b: {{retries: 3}}}}}}") == []
    )
    for text in (
        "template: etl@1\nwith: {table: a}",
        "template: etl@2",
        "template: etl@2\nwith: {table: A}",
        "template: etl@2\nwith: {table: a, many: many}",
        "template: etl@2\nwith: {table: a, may: 3}",
        "with: {table: a}\ntasks: {a: {b: {" + JOB + "}}}",
    ):
        assert problems(schema, head + text), text
    given = "sql: select 1, outputs: {data: a.csv}"
    for task in ("job: {execution_time: 1 hour, execution_script: x}", f"operator_type: pg_to_csv, {given}"):
        assert problems(schema, f"{head}tasks: {{a: {{b: {{{task}}}}}}}") == [], task
