"""A project that writes every key of the language: what texts it has, and what it renders to with others instead."""

import ast
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from windlass.catalog.operator import Catalog
from windlass.render.dag import render_dag
from windlass.render.surroundings import Surroundings
from windlass.spec.assemble import assemble
from windlass.spec.defaults import Defaults, read_defaults
from windlass.spec.document import Document, Location, parse_document
from windlass.spec.pipeline import Pipeline, read_pipeline
from windlass.spec.schema import chosen, fields_by_key, without_none
from windlass.spec.template import TemplateFile, read_template

from .whole_pipelines import as_yaml

FOLDER = Path(__file__).parent / "every_key"
Files = dict[str, Any]
Place = tuple[str, Location, bool]
"""A file, where in it a text stands, and whether it is a key."""
NOUNS: Mapping[str, type[BaseModel]] = {"pipelines": Pipeline, "templates": TemplateFile, "defaults.yml": Defaults}


def files() -> Files:
    """The project as plain data, by paths."""
    found = {path.name.replace("_", "/", 1): parse_document(path.name, path.read_bytes()) for path in FOLDER.iterdir()}
    assert all(not document.problems for document in found.values()), found
    return {path: document.value for path, document in sorted(found.items())}


class Texts(dict[str, str]):
    """The text of each file that somebody names."""

    def __missing__(self, path: str) -> str:
        return f"The text of {path}."


def read(whole: Files) -> dict[str, Pipeline] | None:
    """The pipelines; None where something is refused."""
    documents = {path: parse_document(path, as_yaml(value).encode()) for path, value in whole.items()}
    defaults = read_defaults(documents["defaults.yml"])
    template = read_template("t", 1, documents["templates/t@1.yml"])
    if defaults is None or template.parameters is None or any(one.problems for one in documents.values()):
        return None
    found: dict[str, Pipeline] = {}
    for path in ("pipelines/x.yml", "pipelines/y.yml"):
        document: Document | None = documents[path]
        if path == "pipelines/y.yml":
            if documents[path].value.get("template") != "t@1":
                return None
            document = assemble(documents[path], template, [(documents["defaults.yml"], defaults)])
        pipeline = read_pipeline(document) if document else None
        if pipeline is None:
            return None
        found[path] = pipeline
    return found


def sources(whole: Files, catalog: Catalog) -> dict[str, str]:
    """The rendered modules by the paths of their pipelines; what `whole` holds is right."""
    pipelines = read(whole)
    assert pipelines is not None
    surroundings = Surroundings("digits", catalog, {"digits": "0123456789abcdef"}, Texts())
    return {path: render_dag(pipeline, path, surroundings) for path, pipeline in pipelines.items()}


def tree_with(source: str, texts: Mapping[str, str]) -> str:
    """The module's syntax without its docstring, each mark in a text replaced by the text that it stands for."""
    tree = ast.parse(source)
    del tree.body[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for mark in [mark for mark in texts if mark in node.value]:
                node.value = node.value.replace(mark, texts[mark])
    return ast.dump(tree)


def with_texts(whole: Files, texts: Mapping[Place, str]) -> Files:
    """The project with each text put in its place; keys keep their order."""
    copy = deepcopy(whole)
    deepest = sorted(texts, key=lambda place: -len(place[1]))
    for path, location, is_key in deepest:
        *way, last = location
        holder = copy[path]
        for part in way:
            holder = holder[part]
        text = texts[path, location, is_key]
        if not is_key:
            holder[last] = text
        else:
            items = [(text if key == last else key, value) for key, value in holder.items()]
            holder.clear()
            holder.update(items)
    return copy


def places(whole: Files) -> Iterator[tuple[Place, str]]:
    """Each text of the project with the key of the language that it belongs to: `Dag.owner`, `Job.docker_image`."""
    for path, value in whole.items():
        noun = next(noun for name, noun in NOUNS.items() if path.startswith(name))
        for location, label, is_key in _texts(noun, value, (), noun.__name__):
            yield (path, location, is_key), label


def keys_of(noun: type[BaseModel], found: dict[str, Any] | None = None) -> dict[str, Any]:
    """Every key of a noun and of those inside it, with its type."""
    found = {} if found is None else found
    for key, info in fields_by_key(noun).items():
        name = f"{noun.__name__}.{key}".replace("\0", "")
        if name not in found:
            found[name] = info.annotation
            for inner in _nouns((info.annotation, *info.metadata)):
                keys_of(inner, found)
    return found


def _nouns(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    parts = annotation if isinstance(annotation, tuple) else get_args(annotation)
    for part in parts:
        yield from _nouns(part)


def _texts(kind: Any, value: Any, location: Location, label: str) -> Iterator[tuple[Location, str, bool]]:
    kind = without_none(chosen(kind, value))
    if isinstance(value, str):
        yield location, label, False
    elif isinstance(value, list):
        inner = get_args(kind)[0] if get_origin(kind) is list else Any
        for i, item in enumerate(value):
            yield from _texts(inner, item, (*location, i), label)
    elif isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from _of_noun(kind, value, location)
    elif isinstance(value, dict):
        inner = get_args(kind)[1] if get_origin(kind) is dict else Any
        deeper = label.split(" ")[0] in ("Overlay.dag", "Overlay.tasks") and label.count(" ") < 1
        for key, item in value.items():
            name = _below(label, key, item) if deeper else label
            yield (*location, key), f"{label} (key)", True
            yield from _texts(inner, item, (*location, key), name)


def _of_noun(kind: type[BaseModel], value: dict[str, Any], location: Location) -> Iterator[tuple[Location, str, bool]]:
    fields = fields_by_key(kind)
    if kind.__name__ == "Group":
        members = fields["\0members"].annotation
        for key, item in value.items():
            if key == "needs" and isinstance(item, list):
                yield (*location, key), "Group.needs (word)", True
                yield from _texts(list[str], item, (*location, key), "Group.needs")
            else:
                yield (*location, key), "Group.members (word)", True
                yield from _texts(get_args(members)[1], item, (*location, key), "Group.members")
        return
    for key, item in value.items():
        if key in fields:
            yield (*location, key), f"{kind.__name__}.{key} (word)", True
            info = fields[key]
            annotation: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
            yield from _texts(annotation, item, (*location, key), f"{kind.__name__}.{key}")
        else:
            yield (*location, key), f"{kind.__name__} argument's name", True
            yield from _texts(Any, item, (*location, key), f"{kind.__name__} argument")


def _below(label: str, key: str, item: Any) -> str:
    """The name of what differs in an environment, once the groups and the task around it are left behind."""
    is_group = label == "Overlay.tasks" and isinstance(item, dict)
    return label if is_group else f"{label} {key}"
