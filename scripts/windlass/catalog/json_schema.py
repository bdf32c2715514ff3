"""The JSON Schemas of all files of the language, with a repository's own operators and environments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from windlass.catalog.argument_schema import FILE
from windlass.catalog.defaults_schema import defaults_of
from windlass.catalog.operator import Catalog
from windlass.catalog.reuse_schema import add_reuse, give_defaults
from windlass.catalog.task_schema import task_definitions
from windlass.catalog.template_schema import template_of
from windlass.spec.case import Case
from windlass.spec.environment import Environment
from windlass.spec.json_schema import noun_schema
from windlass.spec.model import Model
from windlass.spec.overlay import DAG_KEYS, TASK_KEYS
from windlass.spec.pipeline import Pipeline
from windlass.spec.shelf import Shelf

Schema = dict[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_NOT_IN_OVERLAYS = ("operator_type", "needs", "docs", "setup", "teardown", "only_if", "skip_if")
"""Structure whose values are no mappings; the others could be names of tasks as well."""


@dataclass(frozen=True)
class Names:
    """What the environments declare: all that one of them has, and what every one has, which pipelines may name."""

    environments: list[str] = field(default_factory=list)
    flavors: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    pools: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)


def names_of(environments: Mapping[str, Environment]) -> Names:
    """Flavors and images that every environment has; pools and connections that any has: Airflow may know others."""
    every = list(environments.values())
    if not every:
        return Names()
    return Names(
        environments=sorted(environments),
        flavors=sorted(set.intersection(*(set(one.flavors) for one in every))),
        images=sorted(set.intersection(*(set(one.images) for one in every))),
        pools=sorted({name for one in every for name in one.pools}),
        connections=sorted({name for one in every for name in one.connections}),
    )


def pipeline_schema(catalog: Catalog, names: Names, shelf: Shelf | None = None) -> Schema:
    """The schema of `pipelines/*.yml`."""
    definitions = noun_schema(Pipeline)
    whole = definitions.pop("Pipeline")
    definitions |= task_definitions(definitions["Task"]["properties"], catalog.operators, names.connections)
    definitions["File"] = FILE
    definitions["Group"] = _group(definitions["Group"]["description"])
    definitions["Node"] = {
        "if": {"$ref": "#/definitions/IsTask"},
        "then": {"$ref": "#/definitions/AnyTask"},
        "else": {"$ref": "#/definitions/Group"},
        "defaultSnippets": _SNIPPETS,
    }
    whole["properties"]["tasks"]["additionalProperties"] = {
        "allOf": [
            {"not": {"$ref": "#/definitions/IsTask"}, "errorMessage": "tasks stand in groups: transform: {score: ...}"},
            {"$ref": "#/definitions/Group"},
        ]
    }
    definitions |= _overlays(definitions["Overlay"])
    _offer(definitions, names)
    if shelf:
        add_reuse(whole, definitions, shelf)
    if names.environments:
        whole["properties"]["environments"]["propertyNames"] = {"enum": names.environments}
    return _document(whole, definitions, "A pipeline of windlass: one file that becomes one Airflow DAG.")


def template_schema(catalog: Catalog, names: Names, shelf: Shelf | None = None) -> Schema:
    """The schema of `templates/*.yml`."""
    pipeline = pipeline_schema(catalog, names)
    if shelf:
        give_defaults(pipeline["definitions"], shelf)
    return template_of(pipeline)


def defaults_schema(catalog: Catalog, names: Names) -> Schema:
    """The schema of `defaults.yml`."""
    return defaults_of(pipeline_schema(catalog, names), catalog)


def model_schema(names: Names) -> Schema:
    """The schema of `models/*.yml`."""
    definitions = noun_schema(Model)
    whole = definitions.pop("Model")
    _offer(definitions, names)
    return _document(whole, definitions, "A model of windlass: what is trained from which data, and how it is judged.")


def case_schema() -> Schema:
    """The schema of `case.yml`."""
    definitions = noun_schema(Case)
    whole = definitions.pop("Case")
    return _document(whole, definitions, "A contract test of windlass: what a job gets, and what is expected of it.")


def environment_schema() -> Schema:
    """The schema of `environments/*.yml`; nothing is required, since a file may extend another one."""
    definitions = noun_schema(Environment)
    whole = definitions.pop("Environment")
    del whole["properties"]["name"]
    whole["properties"]["extends"] = {
        "type": "string",
        "description": "The file, without its ending, that this is laid over.",
    }
    for name in ("Buckets", "Airflow", "Connection", "Pool"):
        definitions[name].pop("required", None)
    whole.pop("required", None)
    return _document(whole, definitions, "An environment of windlass: buckets, Airflow and settings.")


def _document(whole: Schema, definitions: dict[str, Schema], description: str) -> Schema:
    return {"$schema": _DRAFT, **whole, "description": description, "definitions": dict(sorted(definitions.items()))}


def _group(description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": {
            "needs": {
                "if": {"type": "array"},
                "then": {"$ref": "#/definitions/Task/properties/needs"},
                "else": {"$ref": "#/definitions/Node"},
            }
        },
        "additionalProperties": {"$ref": "#/definitions/Node"},
        "propertyNames": {"$ref": "#/definitions/Word"},
        "minProperties": 1,
        "if": {"required": ["needs"], "properties": {"needs": {"type": "array"}}},
        "then": {"minProperties": 2},
    }


def _overlays(overlay: Schema) -> dict[str, Schema]:
    """What an environment may give other values; which of the names are groups, only the pipeline itself tells."""
    dag: Schema = {key: {"$ref": f"#/definitions/Dag/properties/{key}"} for key in DAG_KEYS}
    dag["params"] = {"type": "object", "propertyNames": {"$ref": "#/definitions/Word"}}
    task: Schema = {
        key: {"if": {"type": "object"}, "else": {"$ref": f"#/definitions/Task/properties/{key}"}} for key in TASK_KEYS
    }
    task["job"] = {"type": "object"}
    task |= {key: {"type": "object", "errorMessage": f"{key} cannot differ"} for key in _NOT_IN_OVERLAYS}
    node: Schema = {
        "type": "object",
        "properties": task,
        "additionalProperties": {"if": {"type": "object"}, "then": _NODE},
    }
    overlay["properties"]["dag"] |= {"properties": dag, "additionalProperties": False}
    overlay["properties"]["tasks"] |= {"additionalProperties": _NODE}
    return {"Overlay": overlay, "OverlayNode": node}


_NODE = {"$ref": "#/definitions/OverlayNode"}


def _offer(definitions: dict[str, Schema], names: Names) -> None:
    """Puts the names that the environments declare where they are chosen."""
    job, dag, task = (definitions.get(name, {}).get("properties", {}) for name in ("Job", "Dag", "Task"))
    for properties, key, known in (
        (job, "resource_flavor", names.flavors),
        (job, "docker_image", names.images),
        (dag, "base_resource", names.flavors),
    ):
        if known and key in properties:
            choice: Schema = {"enum": [*known, *([] if key == "docker_image" else [None])]}
            properties[key] = choice | {"description": properties[key]["description"]}
    for properties in (dag, task):
        if names.pools and "pool" in properties:
            pool = properties["pool"]
            pool["anyOf"] = [{"enum": ["default_pool", *names.pools]}, *pool["anyOf"]]


_SNIPPETS = [
    {
        "label": "job",
        "description": "A command that runs in an image",
        "body": {"job": {"docker_image": "$1", "execution_time": "10 minutes", "execution_script": "$2"}},
    },
    {"label": "operator", "description": "An operator", "body": {"operator_type": "$1"}},
    {"label": "approval", "description": "A question to a person", "body": {"approval": {"subject": "$1"}}},
    {"label": "branch", "description": "A choice", "body": {"branch": {"by": "$1", "cases": {"$2": ["$3"]}}}},
]
