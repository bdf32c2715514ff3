"""The JSON Schema of `defaults.yml`: what holds for DAGs, jobs and the tasks of an operator, and nothing that must."""

from typing import Any

from windlass.catalog.operator import Catalog
from windlass.catalog.task_schema import FOREIGN
from windlass.spec.defaults import NOT_OF_OPERATORS, OF_DAG, Defaults
from windlass.spec.json_schema import noun_schema
from windlass.spec.overlay import TASK_KEYS

Schema = dict[str, Any]


def defaults_of(pipeline: Schema, catalog: Catalog) -> Schema:
    """The schema of defaults that belongs to the schema of pipelines."""
    definitions = dict(pipeline["definitions"])
    own = noun_schema(Defaults)
    whole = own.pop("Defaults")
    overlaid = definitions["Overlay"]["properties"]["dag"]["properties"]
    dag = {key: overlaid.get(key, {"$ref": f"#/definitions/Dag/properties/{key}"}) for key in OF_DAG}
    job = {key: value for key, value in definitions["Job"]["properties"].items() if key != "execution_script"}
    whole["properties"]["dag"] |= {"properties": dag, "additionalProperties": False}
    whole["properties"]["job"] |= {"properties": job, "additionalProperties": False}
    whole["properties"]["operators"] |= {
        "properties": {name: _operator(definitions[f"task_{name}"]) for name in sorted(catalog.operators)},
        "patternProperties": {FOREIGN: {"type": "object", "not": _any_of(sorted(NOT_OF_OPERATORS))}},
        "additionalProperties": False,
    }
    environments = pipeline["properties"]["environments"]
    whole["properties"]["environments"] |= {key: environments[key] for key in ("propertyNames",) if key in environments}
    overlay = own.pop("DefaultsOverlay")
    overlay["properties"]["dag"] |= {"properties": overlaid, "additionalProperties": False}
    used = {**definitions, **own, "DefaultsOverlay": overlay}
    return {
        "$schema": pipeline["$schema"],
        **whole,
        "description": "Defaults of windlass: what holds where a pipeline and its template say nothing.",
        "definitions": dict(sorted(_reached(whole, used).items())),
    }


def _operator(task: Schema) -> Schema:
    """Of an operator's task the arguments and what tries, limits and pools are, each if it is given."""
    typed: Schema = next((part["then"]["properties"] for part in task["allOf"] if "then" in part), {})
    shown = task["properties"]
    arguments = {name: {**shown.get(name, {}), "allOf": [schema]} for name, schema in typed.items()}
    keys = {key: shown[key] for key in TASK_KEYS if key in shown and key not in arguments}
    return {
        "type": "object",
        "description": task["description"],
        "properties": {**arguments, **keys},
        "additionalProperties": False,
    }


def _any_of(keys: list[str]) -> Schema:
    return {"anyOf": [{"required": [key]} for key in keys]}


def _reached(schema: Any, definitions: dict[str, Schema]) -> dict[str, Schema]:
    """The definitions that the schema makes use of, directly or by others."""
    found: dict[str, Schema] = {}
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        name = value["$ref"].split("/")[2] if isinstance(value, dict) and isinstance(value.get("$ref"), str) else None
        if name and name not in found:
            found[name] = definitions[name]
            waiting.append(definitions[name])
    return found
