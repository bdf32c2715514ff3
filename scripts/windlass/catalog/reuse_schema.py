"""What templates and defaults change in the schema of pipelines: parameters that are asked, keys that need not be."""

from typing import Any

from windlass.spec.parameter import Parameter
from windlass.spec.shelf import Shelf
from windlass.spec.template import Template, TemplateParameter

Schema = dict[str, Any]

_PIPELINES = "pipelines/any.yml"


def add_reuse(whole: Schema, definitions: dict[str, Schema], shelf: Shelf) -> None:
    """Adds `template` and `with` to the schema of a pipeline, and asks for nothing that the defaults give."""
    templates = [shelf.template(name, version) for name, versions in shelf.versions.items() for version in versions]
    usable = [template for template in templates if template.parameters is not None]
    tasks = whole["properties"].pop("tasks")
    whole["properties"] |= {
        "template": {
            "description": "The template that this pipeline is made of, with its version, like `etl@2`.",
            **(_known(usable) if usable else {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}@[1-9][0-9]{0,5}$"}),
        },
        "with": {"type": "object", "description": "The values of the template's parameters."},
        "tasks": {"type": "object", "description": tasks["description"]},
    }
    whole["required"] = [key for key in whole["required"] if key != "tasks"]
    of_templates = [
        {
            "if": {"required": ["template"], "properties": {"template": {"const": str(template)}}},
            "then": {"properties": {"with": _values(template)}, **_needs_with(template)},
        }
        for template in usable
    ]
    # laid over a template, tasks are whole or parts of its own: only lint sees which
    alone = {"properties": {"tasks": tasks, "with": False}, "required": ["tasks"]}
    whole["allOf"] = [{"if": {"required": ["template"]}, "else": alone}, *of_templates]
    give_defaults(definitions, shelf)


def give_defaults(definitions: dict[str, Schema], shelf: Shelf) -> None:
    """Lets no task need what the defaults give."""
    for _, defaults in shelf.defaults_of(_PIPELINES):
        _give(definitions["Job"], defaults.job)
        for name, arguments in defaults.operators.items():
            _give(definitions.get(f"task_{name}", {}), arguments)


def _known(templates: list[Template]) -> Schema:
    return {
        "enum": [str(template) for template in templates],
        "enumDescriptions": [template.description for template in templates],
    }


def _needs_with(template: Template) -> Schema:
    return {"required": ["with"]} if any(not one.has_default for one in (template.parameters or {}).values()) else {}


def _values(template: Template) -> Schema:
    parameters = template.parameters or {}
    return {
        "description": template.description,
        "properties": {name: _value(parameter) for name, parameter in parameters.items()},
        "required": sorted(name for name, parameter in parameters.items() if not parameter.has_default),
        "additionalProperties": False,
    }


def _value(parameter: TemplateParameter | Parameter) -> Schema:
    found: Schema = {"type": parameter.type}
    for key, value in (
        ("minimum", parameter.minimum),
        ("maximum", parameter.maximum),
        ("minLength", parameter.min_length),
        ("maxLength", parameter.max_length),
        ("enum", parameter.enum),
    ):
        if value is not None:
            found[key] = value
    if isinstance(parameter, TemplateParameter) and parameter.pattern:
        found["pattern"] = f"^(?:{parameter.pattern})$"
    if parameter.has_default and parameter.default is None:
        found = {"anyOf": [found, {"type": "null"}]}
    elif parameter.has_default:
        found["default"] = parameter.default
    return {"description": parameter.description or "", **found}


def _give(definition: Schema, given: dict[str, Any]) -> None:
    if "required" in definition:
        definition["required"] = [key for key in definition["required"] if key not in given]
