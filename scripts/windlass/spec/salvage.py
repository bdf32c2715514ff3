"""Makes as much of a noun as a document allows, so that rules can look at all of it although a part is wrong.

A value that does not fit, and a key that is missing, becomes the empty value of its type: "", [], {}, a length of
zero. No document may hold these where they would mean something, so rules leave empty values alone.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from windlass.spec.document import Document
from windlass.spec.schema import chosen, fields_by_key, read_noun, without_none

Model = TypeVar("Model", bound=BaseModel)


def salvage_noun(document: Document, model: type[Model]) -> Model | None:
    """The document as a `model` as far as it fits; what does not fit is added to its problems.

    None when it is not even a mapping.
    """
    noun = read_noun(document, model)
    if noun is None and isinstance(document.value, dict):
        return _noun(model, document.value)
    return noun


def _noun(model: type[Model], value: dict[str, Any]) -> Model:
    fields = fields_by_key(model)
    arranged = getattr(model, "arranged", None)
    if arranged is not None:
        try:
            value = arranged(value)
        except ValueError:
            value = {}
    fitting = {name: _field(fields[name], item) if name in fields else item for name, item in value.items()}
    missing = {name: _empty(info.annotation) for name, info in fields.items() if info.is_required()}
    return model.model_construct(**{**missing, **fitting})


def _field(info: FieldInfo, value: Any) -> Any:
    """The field's value; where it does not fit, its default, and the empty value where that is None."""
    annotation: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation

    def instead() -> Any:
        return _empty(info.annotation) if info.is_required() or info.default is None else info.default

    return _part(info.annotation, annotation, value, instead)


def _part(kind: Any, annotation: Any, value: Any, instead: Callable[[], Any]) -> Any:
    """`value` as far as it is of the `kind` that `annotation` narrows down, else `instead`, made only then."""
    kind = without_none(chosen(kind, value))
    if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, dict):
        return _noun(kind, value)
    if get_origin(kind) is dict and isinstance(value, dict):
        of = get_args(kind)[1]
        return {key: _item(of, item) for key, item in value.items()}
    if get_origin(kind) is list and isinstance(value, list):
        of = get_args(kind)[0]
        return [_item(of, item) for item in value]
    try:
        return _adapter(annotation).validate_python(value, strict=True)
    except ValidationError:
        return instead()


def _item(of: Any, item: Any) -> Any:
    return _part(of, of, item, lambda: _empty(chosen(of, item)))


def _empty(annotation: Any) -> Any:
    kind = without_none(annotation)
    kind = get_origin(kind) or kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _noun(kind, {})
    return kind() if kind in (str, list, dict, timedelta) else None


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)
