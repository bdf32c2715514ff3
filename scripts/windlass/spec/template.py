"""A template: the body of a pipeline with typed, documented parameters; `templates/etl@2.yml` is `etl` in version 2."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_core import SchemaError

from windlass.spec.document import Document, Location
from windlass.spec.names import Word
from windlass.spec.parameter import Parameter
from windlass.spec.problem import near
from windlass.spec.schema import Noun, Text, read_noun
from windlass.spec.substitute import names_in, strays_in

FOLDER = "templates"
_REFERENCE = re.compile(r"([a-z][a-z0-9_]{0,62})@([1-9][0-9]{0,5})")
_MAX_PARAMETERS = 100
BODY = ("dag", "tasks", "environments")


class TemplateParameter(Parameter):
    """What who uses the template gives; without `default` it must be given. `pattern` is about the whole text."""

    description: Text
    pattern: Annotated[str, Field(min_length=1, max_length=1000)] | None = None

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            _adapter(value)
        return value

    @model_validator(mode="after")
    def _has_fitting_pattern(self) -> "TemplateParameter":
        if self.pattern and self.type != "string":
            raise ValueError(f"pattern is for text, and the type is {self.type}")
        if self.default is not None:
            self._check_pattern(self.default)
        return self

    def why_not(self, value: Any) -> str | None:
        """Why `value` cannot be given for the parameter; None when it can."""
        if value is None and self.has_default and self.default is None:
            return None
        try:
            self._check(value, "the value")
            self._check_pattern(value)
        except ValueError as error:
            return str(error)
        if self.enum is not None and value not in self.enum:
            return f"{value!r} is none of the values in enum{near(str(value), [str(each) for each in self.enum])}"
        return None

    def _check_pattern(self, value: Any) -> None:
        if self.pattern is None:
            return
        try:
            _adapter(self.pattern).validate_python(value)
        except ValidationError:
            shown = repr(value) if len(str(value)) <= 60 else f"{str(value)[:57]!r}..."
            raise ValueError(f"{shown} does not have the form {self.pattern}") from None


def _adapter(pattern: str) -> TypeAdapter[str]:
    """Checks text by Rust's expressions: they take linear time, whoever wrote them."""
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=f"^(?:{pattern})$", strict=True)])
    except SchemaError:
        raise ValueError(f"{pattern!r} is no regular expression without look-around and back-references") from None


class Header(Noun):
    """What a template says about itself."""

    description: Text
    parameters: Annotated[dict[Word, TemplateParameter], Field(max_length=_MAX_PARAMETERS)] = {}


class TemplateFile(Noun):
    """A template's file; what is below `dag`, `tasks` and `environments` is checked where a pipeline uses it."""

    template: Header
    dag: dict[str, Any] = {}
    tasks: dict[str, Any] = {}
    environments: dict[str, Any] = {}


@dataclass(frozen=True)
class Template:
    """One version of a template. `parameters` is None when its file has problems: then nothing can use it."""

    name: str
    version: int
    document: Document
    parameters: Mapping[str, TemplateParameter] | None
    description: str = ""
    folder: str = ""
    """The folder of the repository that it is from, where that is not the project itself: its files are below."""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def parse_reference(text: str) -> tuple[str, int] | None:
    """Name and version in `etl@2`; None where it is not of that form."""
    match = _REFERENCE.fullmatch(text)
    return (match[1], int(match[2])) if match else None


def read_template(name: str, version: int, document: Document, folder: str = "") -> Template:
    """The template in `document`; what does not fit is added to the document's problems."""
    value = document.value
    if isinstance(value, dict) and isinstance(value.get("template"), str):
        message = "a template cannot use another template; put what they share in defaults.yml or in an operator"
        document.problems.append(document.problem(("template",), "schema", message))
        return Template(name, version, document, None, folder=folder)
    file = read_noun(document, TemplateFile)
    if file is not None:
        found = _wrong(file, value)
        document.problems.extend(document.problem(place, "schema", why, at_key=key) for place, why, key in found)
    if file is None or document.problems:
        return Template(name, version, document, None, folder=folder)
    return Template(name, version, document, file.template.parameters, file.template.description, folder)


def _wrong(file: TemplateFile, value: Mapping[str, Any]) -> Iterator[tuple[Location, str, bool]]:
    """What is wrong with the placeholders, with parameters that nothing takes, and with a name for every pipeline."""
    parameters, used = file.template.parameters, set()
    if "name" in file.dag:
        yield ("dag", "name"), "the name is the pipeline's own; remove dag.name from the template", True
    for location, text, is_key in texts((), {key: value[key] for key in BODY if key in value}):
        if is_key:
            if names_in(text):
                yield location, f"key {text!r}: a parameter can stand in a value, not in a key", True
            continue
        used |= names_in(text)
        for stray in strays_in(text):
            why = f"{stray!r} is no parameter; write $[[ parameters.NAME ]], or $$[[ for the text $[["
            yield location, why, False
        for name in sorted(names_in(text) - parameters.keys()):
            yield location, f"there is no parameter {name!r}{near(name, parameters)}", False
    for name in parameters.keys() - used:
        yield ("template", "parameters", name), f"nothing in the template takes the parameter {name!r}", True


def texts(location: Location, value: Any) -> Iterator[tuple[Location, str, bool]]:
    """Each text inside a value with its place, and whether it is a key."""
    if isinstance(value, str):
        yield location, value, False
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(key, str):
                yield (*location, key), key, True
            yield from texts((*location, key), item)
