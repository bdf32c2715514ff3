"""Whole valid pipelines of every shape for property tests: groups in groups, branches, mapped tasks, overlays.

A pipeline is plain data, as it would be read from YAML. References lead to what is written before, and now and then
to anything, so that a few pipelines have a circle; all else is right.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import examples

Plain = dict[str, Any]

NAMES = st.sampled_from(
    ["a", "b", "c", "a_b", "b_c", "needs", "job", "by", "cross", "datetime", "match", "t1", "g_group"]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}\0"), max_size=12) | st.sampled_from(
    [
        '"""',
        "\\",
        "'\"",
        "\n",
        "a\r\nb",
        "\x01",
        "\u2028",
        "x" * 130,
        "line one\nline two " + "y" * 110 + "\n",
        "{{ ds }}",
    ]
)
SOME = TEXT.filter(bool)
LENGTHS = st.sampled_from(["1 second", "90 seconds", "20 minutes", "3 hours", "1 day"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.sampled_from([0.5, -1.25, 1e6]) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(lambda key: key != "file"), inner, max_size=3)
    ),
    max_leaves=6,
)
SCHEDULES = st.sampled_from(
    [
        None,
        "@daily",
        "0 6 * * 1-5",
        {"every": "2 hours"},
        {"assets": "bought"},
        {"assets": ["bought", {"any": ["bought", "given"]}]},
        {"assets": {"all": ["bought", {"any": ["given", {"all": ["bought", "given"]}]}]}},
    ]
)
TRIES = {
    "retries": st.integers(0, 5),
    "retry_delay": LENGTHS,
    "retry_backoff": st.sampled_from([True, False, 1.5, 3]),
    "max_retry_delay": LENGTHS,
    "execution_time": LENGTHS,
    "pool": st.sampled_from(["dwh", "default_pool"]),
    "priority": st.integers(0, 9),
}
OF_TASKS = TRIES | {
    "pool_slots": st.integers(1, 3),
    "queue": SOME,
    "docs": SOME.filter(lambda text: not text.endswith(".md")),
    "assets": st.fixed_dictionaries({}, optional={"in": st.just(["bought"]), "out": st.just(["made", "made.too"])}),
}
RULES = st.sampled_from(["all_done", "none_failed_min_one_success", "always"])
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "full": st.just({"type": "boolean", "default": False}),
        "mode": st.just({"type": "string", "default": "a", "enum": ["a", "b"]}),
        "note": st.fixed_dictionaries({"type": st.just("string"), "default": TEXT, "description": SOME, "title": SOME}),
        "many": st.just({"type": "integer", "default": None, "minimum": 1, "maximum": 9}),
    },
)
OF_DAG = TRIES | {
    "description": TEXT,
    "docs": SOME.filter(lambda text: "\n" in text or not text.endswith(".md")),
    "schedule": SCHEDULES,
    "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
    "start_date": st.sampled_from(["2026-01-31", "2026-01-31 06:30"]),
    "end_date": st.just("2026-12-31"),
    "catchup": st.booleans(),
    "tags": st.lists(TEXT.filter(lambda text: len(text) <= 100), max_size=3),
    "run_time": st.just("30 minutes"),
    "deadline": LENGTHS,
    "max_active_runs": st.integers(1, 3),
    "max_active_tasks": st.integers(1, 3),
    "queue": SOME,
    "params": PARAMS,
    "notify": st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["failure", "success", "retry", "deadline"], st.just(["ops"]))
    ),
}
ENVIRONMENT = (
    "s3: {code: c, models: m, data: d}\nflavors: {cpu: {}}\nimages: {py: x}\npools: {dwh: {slots: 1}}\n"
    "notify: {ops: {connection: chat}}\nconnections: {chat: {type: http}}\nassets: {bought: b, given: g}\n"
)
OWN = (
    "from typing import Any\nfrom airflow.sdk import BaseOperator\n\n\nclass Keep(BaseOperator):\n"
    '    """Keeps."""\n\n    template_fields = ("inputs",)\n    inputs = {"*": ""}\n    outputs = {"*": ""}\n\n'
    "    def __init__(self, *, value: Any = None, other: Any = None, inputs: dict[str, str] | None = None,\n"
    "                 outputs: dict[str, str] | None = None, **kwargs: Any) -> None:\n"
    "        super().__init__(**kwargs)\n"
    "        self.value, self.other, self.inputs, self.outputs = value, other, inputs or {}, outputs or {}\n"
)
FILES = {
    "environments/dev.yml": ENVIRONMENT,
    "environments/prod.yml": ENVIRONMENT + "upstream: dev\n",
    "operators/keep.py": OWN,
}


@dataclass
class _Draft:
    """What is known of the tasks and groups that are written so far."""

    draw: Any
    ids: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    mapped: set[str] = field(default_factory=set)
    setups: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def chance(self, of: int) -> bool:
        return bool(self.draw(st.integers(1, of)) == of)

    def output(self, ending: str = "") -> str | None:
        known = [port for port, file in self.outputs.items() if file.endswith(ending)]
        port: str | None = self.draw(st.sampled_from(known)) if known else None
        if port:
            self.taken.add(port)
        return port


@st.composite
def pipelines(draw: Any, name: str = "x") -> Plain:
    """A pipeline as it would be read from its YAML."""
    names = _tree(draw, 0)
    everything = [path for path, _ in _walk(names, "")]
    draft = _Draft(draw)
    tasks = {key: _group(draft, key, inner, everything) for key, inner in names.items()}
    left = sorted(draft.outputs.keys() - draft.taken)
    if left:
        ports = {f"p{i}": port for i, port in enumerate(left)}
        tasks["rest"] = {"all": {"operator_type": "keep", "inputs": ports}}
    dag = {"name": name, "base_resource": "cpu"} | draw(st.fixed_dictionaries({}, optional=OF_DAG))
    whole: Plain = {"dag": dag, "tasks": tasks}
    overlays = {env: _overlay(draw, dag, tasks) for env in ("dev", "prod") if draft.chance(3)}
    return whole | ({"environments": overlays} if overlays else {})


def _tree(draw: Any, depth: int) -> Plain:
    """Groups and tasks by name: a task is None."""
    found: Plain = {}
    for key in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        inner = depth == 0 or (depth < 3 and draw(st.integers(0, 3)) == 0)
        found[key] = _tree(draw, depth + 1) if inner else None
    return found


def _walk(tree: Plain, path: str) -> Iterator[tuple[str, bool]]:
    for key, inner in tree.items():
        yield f"{path}{key}", inner is None
        yield from _walk(inner, f"{path}{key}.") if inner else ()


def _group(draft: _Draft, path: str, tree: Plain, everything: list[str]) -> Plain:
    found: Plain = {}
    if draft.ids and draft.chance(4):
        found["needs"] = [draft.draw(st.sampled_from(draft.ids))]
    members: Plain = {}
    for key, inner in tree.items():
        inside = f"{path}.{key}"
        members[key] = _group(draft, inside, inner, everything) if inner else _task(draft, inside, everything)
        draft.ids.append(inside)
    if "needs" in found and "needs" in members:
        del found["needs"]
    return found | members


def _task(draft: _Draft, path: str, everything: list[str]) -> Plain:
    draw = draft.draw
    task: Plain = draw(st.sampled_from([_job, _job, _keep, _keep, _fetch, _foreign, _approval, _branch]))(
        draft, path, everything
    )
    if draft.ids and draft.chance(3):
        anything = everything if draft.chance(30) else draft.ids
        task["needs"] = draw(st.lists(st.sampled_from(anything), max_size=2, unique=True))
    elif draft.chance(9):
        task["needs"] = []
    task |= {key: draw(OF_TASKS[key]) for key in draw(st.lists(st.sampled_from(sorted(OF_TASKS)), max_size=2))}
    if not task.get("assets", True):
        del task["assets"]
    if draft.chance(8):
        task[draw(st.sampled_from(["only_if", "skip_if"]))] = draft.output(".txt") or "{{ params.full }}"
    if "teardown" not in task and draft.chance(8):
        task["trigger_rule"] = draw(RULES)
    return task


def _ports(draft: _Draft, path: str, endings: list[str]) -> Plain:
    draw = draft.draw
    inputs = {name: port for name in draw(st.sampled_from([[], [], ["i"], ["i", "j"]])) if (port := draft.output())}
    outputs = {
        name: f"{name}{draw(st.sampled_from(endings))}" for name in draw(st.sampled_from([[], ["o"], ["o", "q"]]))
    }
    draft.outputs |= {f"{path}.{port}": file for port, file in outputs.items()}
    return ({"inputs": inputs} if inputs else {}) | ({"outputs": outputs} if outputs else {})


def _job(draft: _Draft, path: str, everything: list[str]) -> Plain:
    draw = draft.draw
    before = dict(draft.outputs)
    ports = _ports(draft, path, [".csv", ".txt", ".json"])
    names = [f"{{{port}}}" for kind in ("inputs", "outputs") for port in ports.get(kind, {})]
    task: Plain = ports
    kind = draw(st.sampled_from(["plain", "plain", "plain", "split", "each", "port", "setup"]))
    csv = [port for port, file in before.items() if file.endswith(".csv")]
    if kind == "split" and csv and all(file.endswith(".csv") for file in ports.get("outputs", {}).values()):
        port = draw(st.sampled_from(csv))
        draft.taken.add(port)
        task["inputs"] = ports.get("inputs", {}) | {"cut": port}
        names.append("{cut}")
        task["split"] = {"input": "cut", draw(st.sampled_from(["rows", "parts"])): 3} | (
            {"at_once": 2} if draft.chance(2) else {}
        )
    elif kind == "each":
        items = draw(st.lists(SOME | st.integers(0, 9), min_size=1, max_size=3))
        task["for_each"] = {"as": "item", "in": items} | ({"at_once": 2} if draft.chance(2) else {})
        names.append("{item}")
        draft.mapped.add(path)
    elif kind == "port" and (
        listed := [p for p, f in before.items() if f.endswith(".json") or p.rpartition(".")[0] in draft.mapped]
    ):
        port = draw(st.sampled_from(listed))
        draft.taken.add(port)
        task["for_each"] = {"as": "item", "in": port}
        if draft.chance(2):
            task["inputs"] = ports.get("inputs", {}) | {"piece": "{item}"}
            names.append("{piece}")
        else:
            names.append("{item}")
        draft.mapped.add(path)
    elif kind == "setup" and draft.setups and draft.chance(2):
        task["teardown"] = [draw(st.sampled_from(draft.setups))]
    elif kind == "setup":
        task["setup"] = True
        draft.setups.append(path)
    script = " ".join([draw(SOME), *names])
    job = {"docker_image": "py", "execution_time": draw(LENGTHS), "execution_script": script}
    return {"job": job | ({"resource_flavor": "cpu"} if draft.chance(2) else {})} | task


def _keep(draft: _Draft, path: str, everything: list[str]) -> Plain:
    ports = _ports(draft, path, [".csv", ".bin", ".txt"])
    task: Plain = {
        "operator_type": "keep",
        **draft.draw(st.fixed_dictionaries({}, optional={"value": VALUES, "other": VALUES})),
    }
    if draft.chance(4):
        task["value"] = "{item} of " + draft.draw(TEXT)
        if draft.chance(2):
            task["other"] = ["{item}", {"k": "{item}"}]
        task["for_each"] = {"as": "item", "in": draft.draw(st.lists(SOME, min_size=1, max_size=3))}
        draft.mapped.add(path)
    return task | ports


def _fetch(draft: _Draft, path: str, everything: list[str]) -> Plain:
    draft.outputs[f"{path}.data"] = "rows.csv"
    return {"operator_type": "s3_to_file", "key": draft.draw(SOME), "outputs": {"data": "rows.csv"}}


def _foreign(draft: _Draft, path: str, everything: list[str]) -> Plain:
    command = draft.draw(SOME.filter(lambda text: not text.endswith((".sh", ".bash"))))
    return {"operator_type": "airflow.providers.standard.operators.bash.BashOperator", "bash_command": command}


def _approval(draft: _Draft, path: str, everything: list[str]) -> Plain:
    optional = {
        "body": SOME,
        "timeout": LENGTHS,
        "default": st.sampled_from(["approve", "reject"]),
        "on_reject": st.sampled_from(["skip", "fail"]),
        "approvers": st.just(["alice", "bob"]),
    }
    return {"approval": draft.draw(st.fixed_dictionaries({"subject": SOME}, optional=optional))}


def _branch(draft: _Draft, path: str, everything: list[str]) -> Plain:
    later = [each for each in everything[everything.index(path) + 1 :] if not path.startswith(f"{each}.")]
    if not later:
        return _fetch(draft, path, everything)
    targets = st.lists(st.sampled_from(later), min_size=1, max_size=2, unique=True) | st.sampled_from(later)
    cases = draft.draw(st.dictionaries(SOME, targets, min_size=1, max_size=2))
    branch: Plain = {"by": draft.output(".txt") or "{{ params.mode }}", "cases": cases}
    return {"branch": branch | ({"default": draft.draw(targets)} if draft.chance(2) else {})}


def _overlay(draw: Any, dag: Plain, tasks: Plain) -> Plain:
    known = [key for key in OF_DAG if key not in ("docs", "queue", "params") or (key == "queue" and key in dag)]
    found: Plain = {"dag": {key: draw(OF_DAG[key]) for key in draw(st.lists(st.sampled_from(known), max_size=3))}}
    for group, inner in tasks.items():
        for name, task in inner.items():
            if isinstance(task, dict) and name != "needs" and ("job" in task or "operator_type" in task):
                values = _differing(draw, task)
                if values:
                    found.setdefault("tasks", {}).setdefault(group, {})[name] = values
    return found


def _differing(draw: Any, task: Plain) -> Plain:
    if "execution_script" in task.get("job", {}) and draw(st.integers(0, 5)) == 0:
        return {"job": {"execution_time": draw(LENGTHS)}, "retries": draw(st.integers(0, 3))}
    if (
        isinstance(task.get("operator_type"), str)
        and "value" in task
        and "for_each" not in task
        and draw(st.booleans())
    ):
        return {"value": draw(VALUES)}
    return {}


def as_yaml(value: Any) -> str:
    """Plain data as YAML, each text in double quotes and what YAML does not print as its number."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(
        r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|[\u2028\u2029]", lambda m: f"\\U{ord(m[0]):08x}", text
    )


def write_project(folder: Path, wholes: dict[str, Any]) -> None:
    """A project of the pipelines, with the environments and the operator that they need."""
    texts = FILES | {f"pipelines/{name}.yml": as_yaml(whole) + "\n" for name, whole in wholes.items()}
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def drawn(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Some values of a strategy, to be looked at all together."""
    found: list[Any] = []

    @settings(examples(count), phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found
