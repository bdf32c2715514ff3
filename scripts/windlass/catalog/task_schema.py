"""The tasks of pipelines as JSON Schema: which keys each kind of task has, and which arguments each operator."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from windlass.catalog.argument_schema import argument_schema, default_of
from windlass.catalog.documented import Documented, documented
from windlass.catalog.file_arguments import file_endings
from windlass.catalog.operator import ANY, ONE, Operator
from windlass.spec.task import KINDS

Schema = dict[str, Any]

_ALONE = {"approval": "an approval", "branch": "a branch"}
_PORTED = ("inputs", "outputs", "for_each", "split")
FOREIGN = r"^airflow(\.[a-z_][a-z0-9_]*)+\.[A-Z][A-Za-z0-9]*$"


def task_definitions(
    keys: Iterable[str], operators: Mapping[str, Operator], connections: list[str]
) -> dict[str, Schema]:
    """The definitions of a task of any kind, `AnyTask`, and of what it needs; `keys` are those of `Task`."""
    common = {key: {"$ref": f"#/definitions/Task/properties/{key}"} for key in keys if key not in KINDS}
    found: dict[str, Schema] = {}
    for kind in ("job", "approval", "branch"):
        taken = {key: item for key, item in common.items() if kind == "job" or key not in _PORTED}
        found[f"task_{kind}"] = _task({kind: {"$ref": f"#/definitions/{kind.capitalize()}"}, **taken}, [kind])
    for name, operator in sorted(operators.items()):
        found[f"task_{name}"] = _operator(operator, common, connections)
    taken = {key: item for key, item in common.items() if key not in ("inputs", "outputs", "split")}
    found["task_of_airflow"] = _task(taken, ["operator_type"]) | {
        "additionalProperties": True,
        "not": {"anyOf": [{"required": [key]} for key in ("inputs", "outputs", "split")]},
        "errorMessage": "an operator of Airflow takes no inputs and leaves no outputs",
    }
    found["OperatorType"] = {
        "description": "One of windlass, of `operators/`, or the import path of an operator that Airflow brings.",
        "anyOf": [
            {
                "enum": sorted(operators),
                "enumDescriptions": [documented(operators[name].description).summary for name in sorted(operators)],
            },
            {"type": "string", "pattern": FOREIGN},
        ],
    }
    found["task_operator"] = {
        "properties": {"operator_type": {"$ref": "#/definitions/OperatorType"}},
        "allOf": [
            *(_where({"const": name}, f"task_{name}") for name in sorted(operators)),
            _where({"pattern": FOREIGN, "type": "string"}, "task_of_airflow"),
        ],
    }
    return found | _by_kind()


def _where(value: Schema, definition: str) -> Schema:
    found = {"properties": {"operator_type": value}, "required": ["operator_type"]}
    return {"if": found, "then": {"$ref": f"#/definitions/{definition}"}}


def _by_kind() -> dict[str, Schema]:
    """A task by the first of its kinds; what has none is a group."""
    chosen: Schema = {"$ref": "#/definitions/task_branch"}
    for kind in ("approval", "operator_type", "job"):
        name = "task_operator" if kind == "operator_type" else f"task_{kind}"
        chosen = {"if": {"required": [kind]}, "then": {"$ref": f"#/definitions/{name}"}, "else": chosen}
    kinds = [{"required": [kind], "properties": {kind: {"not": {"$ref": "#/definitions/IsNode"}}}} for kind in KINDS]
    below = {"type": "object", "not": {"additionalProperties": {"not": {"$ref": "#/definitions/IsNode"}}}}
    return {
        "AnyTask": chosen,
        "IsTask": {"type": "object", "anyOf": kinds},
        "IsNode": {"type": "object", "anyOf": [*({"required": [kind]} for kind in KINDS), below]},
    }


def _task(properties: Schema, required: list[str]) -> Schema:
    pairs = (("for_each", "split"), ("only_if", "skip_if"), ("setup", "teardown"), ("teardown", "trigger_rule"))
    exclusive = [
        {"not": {"required": list(pair), "properties": {key: _given(key) for key in pair}}}
        | {"errorMessage": f"a task has either '{pair[0]}' or '{pair[1]}', and not both"}
        for pair in pairs
        if set(pair) <= properties.keys()
    ]
    found = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return found | ({"allOf": exclusive} if exclusive else {})


def _given(key: str) -> Schema:
    """A value that says something: `setup: false` and null do not."""
    return {"const": True} if key == "setup" else {"not": {"type": "null"}}


def _operator(operator: Operator, common: Schema, connections: list[str]) -> Schema:
    said = documented(operator.description)
    typed: dict[str, Schema] = {}
    properties: Schema = {"operator_type": {"const": operator.name, "description": said.summary}, **common}
    for name, argument in operator.arguments.items():
        typed[name] = argument_schema(argument)
        if name == "connection" and connections:
            typed[name] = {"anyOf": [{"enum": connections}, typed[name]]}
        properties[name] = {"description": _said(said, name, operator), **default_of(argument)}
    for kind, ports in (("inputs", operator.inputs), ("outputs", operator.outputs)):
        properties[kind] = _ports(ports, said.arguments.get(kind, ""), is_file=kind == "outputs")
    needed = {
        kind for kind, ports in (("inputs", operator.inputs), ("outputs", operator.outputs)) if set(ports) - {ANY}
    }
    required = [name for name, argument in operator.arguments.items() if argument.required]
    found = _task(properties, ["operator_type", *required, *sorted(needed | set(operator.needs))])
    found["description"] = said.text
    # the item of for_each may stand in an argument of any type
    of_type = {"if": {"not": {"required": ["for_each"]}}, "then": {"properties": typed}}
    return found | {"allOf": [*found.get("allOf", []), of_type]}


def _said(said: Documented, name: str, operator: Operator) -> str:
    endings = " or ".join(f"`{ending}`" for ending in file_endings(name, operator))
    file = f"One word that ends in {endings} is a file of this repository, whose text is taken." if endings else ""
    return " ".join(filter(None, (said.arguments.get(name, ""), file)))


def _ports(ports: Mapping[str, str], description: str, *, is_file: bool) -> Schema:
    def port(ending: str) -> Schema:
        if not is_file:
            return {"type": "string", "minLength": 1}
        ends = {"pattern": re.escape(ending).replace("\\-", "-") + "$"}
        return {
            "if": {"type": "object"},
            "then": {"allOf": [{"$ref": "#/definitions/Output"}, {"properties": {"file": ends}}]},
            "else": {"allOf": [{"$ref": "#/definitions/Filename"}, ends]},
        }

    others = next((ending for name, ending in ports.items() if name in (ANY, ONE)), None)
    named = [name for name in ports if name not in (ANY, ONE)]
    found: Schema = {
        "type": "object",
        "description": description,
        "properties": {name: port(ports[name]) for name in named},
        "additionalProperties": False if others is None else port(others),
        "propertyNames": {"$ref": "#/definitions/Word"},
    }
    if named:
        found["required"] = named
    if ONE in ports:
        found |= {"minProperties": len(named) + 1, "maxProperties": len(named) + 1}
    return found
