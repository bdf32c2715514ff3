"""Any text in place of any text of a pipeline, a template or defaults comes back from the module exactly.

The project in `every_key/` writes every key of the language; a key that it does not write fails a test. In it, texts of
several words stand where any text may, and each is exercised; where no text of several words stands, `NARROW` says why.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import examples
from windlass.catalog.operator import Argument, Catalog, Operator
from windlass.catalog.read import STANDARD
from windlass.render.project import RUNTIME
from windlass.spec.defaults import Defaults
from windlass.spec.document import parse_document
from windlass.spec.overlay import DAG_KEYS, TASK_KEYS
from windlass.spec.pipeline import Pipeline
from windlass.spec.substitute import whole_name
from windlass.spec.template import TemplateFile

from .every_key_project import Files, Place, files, keys_of, places, sources, tree_with, with_texts
from .loaded import load_in_airflow
from .whole_pipelines import OWN, as_yaml, drawn

CATALOG = Catalog(
    {"keep": Operator("keep", "Keep", "", {"value": Argument("Any"), "other": Argument("Any")}, {"*": ""}, {"*": ""})},
    frozenset({"keep"}),
)
ODD = [
    '"""',
    "'''",
    "\\",
    "\\'",
    '\\"',
    "{{ ds }}",
    "{% raw %}",
    "\r\n",
    " ",
    "#}",
    "${X}",
    '"\'"',
    "\u2028\u202e",
    "a: b",
]
ODD += [
    "x" * 90,
    "one\ntwo " + "x" * 90,
    "null",
    "~",
    "true",
    "1",
    "1.10",
    "no",
    "<<",
    "{port}",
    "\ufeff",
    "\x85",
    "\x1b",
]
IS_A_FILE = (".md", ".sql", ".sh", ".bash")


def is_right(text: str) -> bool:
    """Whether YAML can hold the text, and it means nothing else: no file, no parameter."""
    return (
        not parse_document("x", as_yaml(text).encode()).problems and not text.endswith(IS_A_FILE) and "$[[" not in text
    )


TEXT = (st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30) | st.sampled_from(ODD)).filter(
    is_right
)

WORD = "a name: what Python, S3 and Airflow can all hold"
CHOICE = "one of a few words"
LENGTH = "a length of time"
DAY = "a day, and perhaps a time"
TASK = "names a task, a group or a port"
NARROW = {
    **dict.fromkeys(["Dag.name", "ForEach.as", "Split.input", "Dag.params (key)", "Task.inputs (key)"], WORD),
    **dict.fromkeys(["Task.outputs (key)", "Header.parameters (key)", "Pipeline.tasks (key)"], WORD),
    **dict.fromkeys(["Pipeline.environments (key)", "TemplateFile.environments (key)"], WORD),
    **dict.fromkeys(["Defaults.environments (key)", "Overlay.dag params (key)"], WORD),
    **dict.fromkeys([f"Notify.{event}" for event in ("failure", "success", "retry", "deadline")], WORD),
    **dict.fromkeys(["Overlay.dag notify", "Overlay.dag notify (key)", "Pipeline.template"], WORD),
    **dict.fromkeys(["Assets.in", "Assets.out"], "an asset's name is part of an address"),
    "Task.outputs": "a file's name",
    "Split.size": "a number of bytes",
    **dict.fromkeys(["Split.delimiter", "Split.quote", "Split.escape"], "one character"),
    **dict.fromkeys(["Split.delimiter", "Split.quote", "Split.escape"], "one character"),
    "Task.operator_type": "an operator's name, or an import path",
    "Defaults.operators (key)": "an operator's name",
    **dict.fromkeys(
        ["Task.needs", "Group.needs", "Task.inputs", "Task.teardown", "Branch.cases", "Branch.default"], TASK
    ),
    **dict.fromkeys(
        ["Approval.default", "Approval.on_reject", "Task.trigger_rule", "Overlay.tasks trigger_rule"], CHOICE
    ),
    **dict.fromkeys(
        [f"{noun}.{key}" for noun in ("Parameter", "TemplateParameter") for key in ("type", "format")], CHOICE
    ),
    **dict.fromkeys([f"{noun} {key}" for noun in ("Overlay.dag",) for key in ("start_date", "end_date")], DAY),
    **dict.fromkeys(["Dag.start_date", "Dag.end_date"], DAY),
    **dict.fromkeys([f"Dag.{key}" for key in ("retry_delay", "max_retry_delay", "execution_time")], LENGTH),
    **dict.fromkeys([f"Dag.{key}" for key in ("run_time", "deadline")], LENGTH),
    **dict.fromkeys([f"Task.{key}" for key in ("retry_delay", "max_retry_delay", "execution_time")], LENGTH),
    **dict.fromkeys([f"Overlay.dag {key}" for key in ("retry_delay", "max_retry_delay", "execution_time")], LENGTH),
    **dict.fromkeys([f"Overlay.dag {key}" for key in ("run_time", "deadline")], LENGTH),
    **dict.fromkeys([f"Overlay.tasks {key}" for key in ("retry_delay", "max_retry_delay", "execution_time")], LENGTH),
    **dict.fromkeys(["Job.execution_time", "Approval.timeout"], LENGTH),
    **dict.fromkeys(["Defaults.dag (key)", "Defaults.job (key)", "DefaultsOverlay.dag (key)"], "keys of the language"),
    **dict.fromkeys(["Overlay.dag (key)", "TemplateFile.dag (key)"], "keys of the language"),
    "Task argument's name": "what the operator's __init__ takes",
    "Output.file": "file names have no spaces",
    "Output.columns": "one of the types",
    "Column.type": CHOICE,
    "Column.matches": "a regular expression",
    "Output.extra_columns": CHOICE,
    "TemplateParameter.pattern": "a regular expression, of which nothing is rendered",
    "TemplateParameter.enum": "of which only what is given is rendered",
}
UNSEEN = {
    "Header.description": "about the template itself",
    "TemplateParameter.description": "about the template itself",
    "TemplateParameter.title": "about the template itself",
}
IS_LENGTH = re.compile(r"[0-9]+ (second|minute|hour|day)s?")


def text_at(whole: Files, place: Place) -> str:
    value: Any = whole[place[0]]
    for part in place[1][: -1 if place[2] else None]:
        value = value[part]
    return str(place[1][-1]) if place[2] else str(value)


WHOLE = files()
ALL = dict(places(WHOLE))
FREE = {
    place: label
    for place, label in ALL.items()
    if " " in (text := text_at(WHOLE, place)) and not IS_LENGTH.fullmatch(text) and not whole_name(text)
}
MARKS = {place: f"zz{i:03}zz" for i, place in enumerate(FREE)}


def put(texts: dict[Place, str]) -> Files:
    """The project with the texts; what is filled in later, such as an item, stays behind the text."""
    after = {place: f" {old}" for place in texts if re.search(r"\{|\$\[", old := text_at(WHOLE, place))}
    return with_texts(WHOLE, {place: text + after.get(place, "") for place, text in texts.items()})


@pytest.fixture(scope="module")
def marked() -> dict[str, str]:
    return sources(put(MARKS), CATALOG)


def test_the_project_writes_every_key_of_the_language() -> None:
    wanted: dict[str, Any] = {}
    for noun in (Pipeline, TemplateFile, Defaults):
        keys_of(noun, wanted)
    written = {label.removesuffix(" (word)") for label in ALL.values() if label.endswith(" (word)")}
    elsewhere = {"Every.every", "OnAssets.assets", "AllOf.all", "AnyOf.any"}
    assert sorted(wanted.keys() - written - elsewhere) == [], "write them in tests/render/every_key/"
    overlay = WHOLE["pipelines/x.yml"]["environments"]["prod"]
    assert set(overlay["dag"]) == set(DAG_KEYS) and set(overlay["tasks"]["first"]["job"]) == set(TASK_KEYS)


def test_every_text_is_exercised_or_there_is_a_reason() -> None:
    labels = {label for label in ALL.values() if not label.endswith(" (word)")}
    assert labels - set(FREE.values()) == NARROW.keys()


def test_every_text_that_is_exercised_is_in_a_module(marked: dict[str, str]) -> None:
    said = "".join(tree_with(source, {}) for source in marked.values())
    assert {FREE[place] for place, mark in MARKS.items() if mark not in said} == UNSEEN.keys()
    assert len(FREE) > 100


@examples(8)
@given(st.lists(TEXT, min_size=len(FREE), max_size=len(FREE), unique=True))
def test_any_text_comes_back_exactly_from_any_place(marked: dict[str, str], texts: list[str]) -> None:
    put_in = {
        place: f"{text} {i}" if place[2] else text for i, (place, text) in enumerate(zip(FREE, texts, strict=True))
    }
    found = sources(put(put_in), CATALOG)
    meant = {MARKS[place]: text for place, text in put_in.items()}
    for path, source in found.items():
        assert tree_with(source, {}) == tree_with(marked[path], meant)


RIGHT = {"Dag.timezone": "UTC", "Overlay.dag timezone": "UTC", "Dag.schedule": "@daily"}
"""What Airflow looks into when it reads a DAG."""


def replaced(value: Any, texts: dict[str, str]) -> Any:
    """What Airflow holds with each mark replaced by its text; sets in one order."""
    if isinstance(value, str):
        for mark in [mark for mark in texts if mark in value]:
            value = value.replace(mark, texts[mark])
        return value
    if isinstance(value, list):
        return [replaced(item, texts) for item in value]
    if isinstance(value, dict) and value.keys() == {"set"}:
        return sorted(replaced(item, texts) for item in value["set"])
    return {replaced(k, texts): replaced(v, texts) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.airflow
def test_airflow_holds_exactly_the_texts(tmp_path: Path) -> None:
    """A DAG with marks and others with texts differ in nothing but the texts once Airflow has read them."""
    fixed = {place: RIGHT[label] for place, label in FREE.items() if label in RIGHT}
    chosen = drawn(st.lists(TEXT, min_size=len(FREE), max_size=len(FREE), unique=True), 5)
    files = {f"runtime/{path.name}": path.read_bytes() for path in RUNTIME.glob("*.py")}
    files |= {f"operators/{path.name}": path.read_bytes() for path in STANDARD.glob("*.py")}
    files |= {"__init__.py": b"", "operators/keep.py": OWN.encode(), ".airflowignore": b"operators/\nruntime/\n"}
    meant: dict[str, dict[str, str]] = {"x": {}}
    files["dags/x.py"] = sources(put(MARKS | fixed), CATALOG)["pipelines/x.yml"].encode()
    for i, texts in enumerate(chosen):
        put_in = {place: f"{text} {i}" if place[2] else text for place, text in zip(FREE, texts, strict=True)}
        meant[f"y{i}"] = {MARKS[place]: text for place, text in (put_in | fixed).items()}
        source = sources(put(put_in | fixed), CATALOG)["pipelines/x.yml"]
        files[f"dags/y{i}.py"] = source.replace('dag_id="x"', f'dag_id="y{i}"', 1).encode()
    seen = load_in_airflow(files, tmp_path, script="hold_in_airflow.py")
    assert seen["errors"] == {} and seen["dags"].keys() == meant.keys()
    for name, texts_of in meant.items():
        assert replaced(seen["dags"][name], {}) == replaced(seen["dags"]["x"], texts_of), name
    said = str(seen["dags"]["x"])
    assert sum(mark in said for mark in MARKS.values()) > 40
