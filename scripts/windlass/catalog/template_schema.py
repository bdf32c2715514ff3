"""The JSON Schema of `templates/*.yml`: a pipeline's, in which a parameter may stand wherever a value may."""

from typing import Any

from windlass.spec.json_schema import noun_schema
from windlass.spec.template import TemplateFile

Schema = dict[str, Any]

_CHOOSERS = ("IsTask", "IsNode")
"""Definitions that only tell what something is meant as."""
_TAKES_PARAMETER: Schema = {"$ref": "#/definitions/WithParameter"}
_PARAMETER: Schema = {
    "type": "string",
    "description": "A text with parameters in it, like `$[[ parameters.table ]]`.",
    "pattern": r"\$\[\[ *parameters\.[a-z][a-z0-9_]{0,62} *\]\]",
}


def template_of(pipeline: Schema) -> Schema:
    """The schema of templates that belongs to the schema of pipelines."""
    definitions = {
        name: schema if name in _CHOOSERS else _loosened(schema) for name, schema in pipeline["definitions"].items()
    }
    own = noun_schema(TemplateFile)
    whole = own.pop("TemplateFile")
    dag = definitions["Dag"]
    dag["properties"]["name"] = {"not": {}, "errorMessage": "the name is the pipeline's own"}
    dag["required"] = [key for key in dag["required"] if key != "name"]
    tasks = _loosened(pipeline["properties"]["tasks"]) | {"description": whole["properties"]["tasks"]["description"]}
    whole["properties"] |= {
        "dag": {"$ref": "#/definitions/Dag", "description": whole["properties"]["dag"]["description"]},
        "tasks": {key: value for key, value in tasks.items() if key != "minProperties"},
        "environments": _loosened(pipeline["properties"]["environments"]),
    }
    definitions |= {name: schema for name, schema in own.items() if name not in definitions}
    definitions["WithParameter"] = _PARAMETER
    return {
        "$schema": pipeline["$schema"],
        **whole,
        "description": "A template of windlass: the body of pipelines, with typed parameters.",
        "definitions": dict(sorted(definitions.items())),
    }


def _loosened(schema: Any) -> Any:
    """The schema of a value in which parameters may stand; what decides between others stays as it is."""
    if not isinstance(schema, dict):
        return schema
    found = dict(schema)
    for key in ("properties", "patternProperties"):
        if key in schema:
            found[key] = {name: _or_parameter(inner) for name, inner in schema[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            found[key] = _or_parameter(schema[key])
    for key in ("anyOf", "allOf", "oneOf"):
        if key in schema:
            found[key] = [_loosened(inner) for inner in schema[key]]
    for key in ("then", "else"):
        if key in schema:
            found[key] = _loosened(schema[key])
    return found


def _or_parameter(schema: Any) -> Any:
    """The same, or a parameter instead; what an editor shows stays outside."""
    if not isinstance(schema, dict) or not schema:
        return schema
    shown = {key: schema[key] for key in ("description", "default", "examples") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in shown}
    return {**shown, "if": _TAKES_PARAMETER, "else": _loosened(rest)} if rest else schema
