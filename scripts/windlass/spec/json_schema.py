"""What nouns say as JSON Schema (draft 7), which editors read: keys, forms and defaults, with a sentence for each.

What a noun checks by a function is either in `FORMS`, in words of JSON Schema, or in `UNSAID`, which only lint says.
"""

import keyword
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from windlass.spec.duration import duration_text
from windlass.spec.explained import EXPLAINED
from windlass.spec.port import COLUMN_TYPES, ROW_ENDINGS
from windlass.spec.task import MEASURES, TRIGGER_RULES

Schema = dict[str, Any]

_PLACEHOLDER = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
_WORD = {
    "type": "string",
    "pattern": f"^(?!({'|'.join(sorted(keyword.kwlist))})$)[a-z][a-z0-9_]{{0,62}}$",
    "patternErrorMessage": "take lower-case letters, digits and _, beginning with a letter; no word of Python",
}
_SOMETHING = {"not": {"type": "null"}}
_ROWS = f"({'|'.join(ending.replace('.', '[.]') for ending in ROW_ENDINGS)})$"
_REFERENCE = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){2,}$"

FORMS: Mapping[str, Schema] = {
    "check_word": _WORD,
    "check_filename": {
        "type": "string",
        "pattern": r"^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        "patternErrorMessage": "take letters, digits, _, - and dots, without folders",
    },
    "check_relative_path": {
        "type": "string",
        "pattern": r"^(?!/)(?!(.*/)?\.{1,2}(/|$))(?!.*//.)[^\\\x00]*[^/\\\x00]/*$",
        "patternErrorMessage": "a path inside the project: relative, without '..'",
    },
    "parse_duration": {
        "type": "string",
        "pattern": "^[1-9][0-9]{0,6} (second|minute|hour|day)s?$",
        "patternErrorMessage": "write it like '90 seconds', '60 minutes', '2 hours' or '1 day'",
        "examples": ["90 seconds", "20 minutes", "2 hours", "1 day"],
    },
    "parse_backoff": {
        "anyOf": [{"type": "boolean"}, {"type": "number", "enum": [0]}, {"type": "number", "exclusiveMinimum": 1}],
        "maximum": 100,
    },
    "parse_day": {
        "type": "string",
        "pattern": r"^(?!9999-12-31)(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
        r"([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?)?$",
        "patternErrorMessage": "write it like 2026-01-31 or '2026-01-31 06:00'",
        "examples": ["2026-01-31", "2026-01-31 06:00"],
    },
    "check_asset": {"type": "string", "pattern": "^(?!(self|context)$)[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$"},
    "_is_size": {
        "type": "string",
        "pattern": "^[1-9][0-9]{0,6}(Ki|Mi|Gi)$",
        "patternErrorMessage": "write it like '512Ki', '64Mi' or '2Gi'",
        "examples": ["64Mi", "1Gi"],
    },
    "_is_mark": {"type": "string", "pattern": "^([ -~\\t]|tab)$", "examples": [";", "tab"]},
    "_is_quote": {"type": "string", "pattern": "^([ -~\\t]|tab|none)$", "examples": ["'", "none"]},
    "_is_rule": {"type": "string", "enum": list(TRIGGER_RULES)},
    "_is_type": {"type": "string", "enum": list(COLUMN_TYPES)},
    "_is_condition": {"type": "string", "pattern": r"\{\{|" + _REFERENCE},
    "_is_port": {"type": "string", "pattern": _REFERENCE},
    "_as_list": {
        "anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
        ]
    },
    "Parameter._is_known": {"enum": ["string", "integer", "number", "boolean", "array", "object"]},
    "Parameter._is_a_format": {"enum": ["date", "date-time", "time", "multiline", None]},
    "Pipeline._is_not_huge": {},
    "Model._has_metrics": {"required": ["metrics"], "properties": {"metrics": {"pattern": r"\.json$"}}},
    "Verify._placeholders": {"not": {"pattern": r"\{(?!(ds|run_id)\})\w*\}"}},
    "check_placeholders": {"not": {"pattern": r"\$\{(?![A-Za-z_][A-Za-z0-9_]*\})"}},
    "_name": {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$"},
    "_pool_name": {"type": "string", "pattern": "^(?!default_pool$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$"},
    "_hidden_text": {"type": "string"},
    "_hidden_variable": {"type": ["string", "number", "boolean", "array", "object"]},
    "_hidden_extra": {"type": ["string", "object"]},
    "_port": {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 65535},
            {"type": "string", "pattern": f"^{_PLACEHOLDER}$"},
        ]
    },
    "_slots": {"anyOf": [{"type": "integer", "minimum": -1}, {"type": "string", "pattern": f"^{_PLACEHOLDER}$"}]},
    "_check_key": {"type": "string", "pattern": "^ed25519:[A-Za-z0-9+/]{43}=$"},
    "check_name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}$"},
    "Airflow._hide": {"type": "string"},
    "check_role": {"type": "string", "pattern": "^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"},
    "check_timezone": {"type": "string", "examples": ["UTC", "Europe/Berlin"]},
    "check_cron": {"type": "string", "minLength": 1, "examples": ["0 14 * * 5"]},
    "parse_local_time": {
        "type": "string",
        "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[ T]([01][0-9]|2[0-3]):[0-5][0-9]$",
        "patternErrorMessage": "write it like 2026-12-20 18:00",
        "examples": ["2026-12-20 18:00"],
    },
    "ExpectedOutput._is_no_less_than_zero": {"minimum": 0},
}
"""What functions that check a value ask for, by their names."""

_NAMED = {
    "Word": FORMS["check_word"],
    "Filename": FORMS["check_filename"],
    "RelativePath": FORMS["check_relative_path"],
    "Duration": FORMS["parse_duration"],
}

UNSAID: Mapping[str, str] = {
    "Dag._can_run": "the end is after the start, and a schedule needs defaults for all params",
    "Parameter._fits_itself": "default, enum and bounds fit the type",
    "TemplateParameter._is_a_pattern": "a pattern is an expression of Rust's kind",
    "TemplateParameter._has_fitting_pattern": "a pattern is for text, and the default has it",
    "_is_pattern": "an expression of Python's kind",
    "RowCount._is_a_range": "one or both bounds, in their order",
    "Column._fits_its_type": "bounds and values fit the type",
    "Output._can_be_checked": "the file has rows, and extra_columns needs columns",
    "Environment._has_flavors_of_runners": "runners are of flavors that there are",
    "Environment._says_something": "a gate is not empty",
    "Split._has_one_measure": "one of rows, size and parts",
    "Split._has_different_marks": "delimiter, quote and escape differ",
    "Task._is_one_kind": "one of job, operator_type, approval and branch",
    "Task._is_one_thing": "for_each and split, only_if and skip_if, setup and teardown exclude each other",
    "Task._runs_for_items": "something in the task takes the item",
    "Task._may_be_foreign": "operators of Airflow have no ports",
    "Group.arranged": "a group's own needs",
    "Gate._has_a_bound": "at least one bound",
    "Jobs._has_what_it_needs": "a backend with containers has a stage_image, kubernetes a namespace too",
    "PromotionGate._asks_no_less_where_critical": "critical asks for no less than the rest",
    "FreezeOnce._ends_after_it_begins": "the window ends after it begins",
    "Verify._needs_run": "delivers and conf belong to a smoke run",
    "check_signers": "no key has two names",
    "Failure._says_how": "at least one of exit_code and error",
    "ExpectedOutput._can_be_compared": "ignore_order with a tolerance needs a key",
    "Case._ends_in_one_way": "either expect or fails",
}
"""Functions that compare values with each other; what can be said of them is said where the schema is put together."""

_WHOLE: Mapping[str, Schema] = {
    "Split": {"oneOf": [{"required": [key], "properties": {key: _SOMETHING}} for key in MEASURES]},
    "Gate": {"minProperties": 1},
    "RowCount": {"minProperties": 1},
    "Output": {
        "anyOf": [
            {"properties": {"file": {"pattern": _ROWS}}},
            {"properties": {key: {"type": "null"} for key in ("rows", "columns", "unique")}},
        ],
        "errorMessage": f"rows can be checked in {', '.join(ROW_ENDINGS)}",
    },
    "Failure": {"minProperties": 1},
    "ExpectedOutput": {
        "anyOf": [
            {"properties": {"ignore_order": {"const": False}}},
            {"properties": {"tolerance": {"enum": [None, 0]}}},
            {"required": ["key"], "properties": {"key": _SOMETHING}},
        ]
    },
    "Case": {
        "anyOf": [
            {"properties": {"fails": {"type": "null"}}},
            {"properties": {"expect": {"maxProperties": 0}}},
        ]
    },
}
"""What is true of a noun as a whole, by its name."""


class _Generator(GenerateJsonSchema):
    """Pydantic's own generator, with what functions check; a function that is not known is a LookupError."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}

    def function_before_schema(self, schema: Any) -> Schema:
        return self._checked(schema, replaces=True)

    def function_after_schema(self, schema: Any) -> Schema:
        return self._checked(schema, replaces=False)

    def _checked(self, schema: Any, *, replaces: bool) -> Schema:
        name = getattr(schema["function"]["function"], "__qualname__", None)
        inner = self.generate_inner(schema["schema"])
        if name is None or name in UNSAID:  # without a name it is pydantic's own, which says itself what it checks
            return inner
        if name not in FORMS:
            raise LookupError(f"spec/json_schema.py: nothing is known of {name}; say in FORMS or UNSAID what it checks")
        return dict(FORMS[name]) if replaces else {**inner, **FORMS[name]}

    def dict_schema(self, schema: Any) -> Schema:
        found: Schema = {"type": "object"}
        values = self.generate_inner(schema["values_schema"]) if "values_schema" in schema else {}
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {"type": "string"}
        if values:
            found["additionalProperties"] = values
        if keys != {"type": "string"}:
            found["propertyNames"] = keys
        for ours, theirs in (("min_length", "minProperties"), ("max_length", "maxProperties")):
            if ours in schema:
                found[theirs] = schema[ours]
        return found

    def tagged_union_schema(self, schema: Any) -> Schema:
        return {"anyOf": [self.generate_inner(choice) for choice in schema["choices"].values()]}

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return duration_text(dft)
        return dft.isoformat() if isinstance(dft, date) else super().encode_default(dft)


def noun_schema(model: type[BaseModel]) -> Schema:
    """The definitions of `model` and of all that is in it, by the names of their classes."""
    whole = model.model_json_schema(ref_template="#/definitions/{model}", schema_generator=_Generator)
    definitions: dict[str, Schema] = whole.pop("$defs", {})
    definitions[model.__name__] = whole
    for noun in _nouns(model, {}).values():
        if noun.__name__ in definitions:
            _explain(definitions[noun.__name__], noun)
    return {**_tidy(definitions), **{name: dict(form) for name, form in _NAMED.items()}}


def unexplained(model: type[BaseModel]) -> list[str]:
    """The keys, as `Noun.key`, that have no sentence in `EXPLAINED`."""
    return sorted(
        f"{name}.{key}"
        for name, noun in _nouns(model, {}).items()
        for key in _keys(noun)
        if "\0" not in key and key not in EXPLAINED.get(name, {})
    )


def _explain(definition: Schema, noun: type[BaseModel]) -> None:
    definition["description"] = " ".join(cleandoc(noun.__doc__ or "").split())
    definition.update(_WHOLE.get(noun.__name__, {}))
    for key, found in definition.get("properties", {}).items():
        sentence = EXPLAINED.get(noun.__name__, {}).get(key)
        if sentence:
            found["description"] = sentence


def _keys(noun: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in noun.model_fields.items()]


def _nouns(annotation: Any, found: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    """Each noun that is or is in `annotation`, by its name."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation.__name__ not in found:
            found[annotation.__name__] = annotation
            for info in annotation.model_fields.values():
                _nouns(info.annotation, found)
        return found
    for part in _parts(annotation):
        _nouns(part, found)
    return found


def _parts(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__args__", ())
    if hasattr(annotation, "__metadata__"):
        yield annotation.__origin__


def _tidy(value: Any) -> Any:
    """The schema without pydantic's titles and empty defaults, and with a reference for each form that has a name."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    for name, form in _NAMED.items():
        if form.items() <= value.items():
            rest = {key: item for key, item in value.items() if key not in form}
            return {"$ref": f"#/definitions/{name}", **rest}
    return {
        key: _tidy(item)
        for key, item in value.items()
        if not (key == "title" and isinstance(item, str)) and not (key == "default" and item is None)
    }
