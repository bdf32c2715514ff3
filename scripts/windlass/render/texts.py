"""The files beside a pipeline that become part of its DAG: Markdown of `docs`, arguments like `sql: sql/x.sql`."""

from collections.abc import Iterator, Mapping
from typing import Any

from windlass.catalog.file_arguments import arguments_with_files
from windlass.catalog.operator import Catalog
from windlass.spec.file_value import FILE, is_file, is_path
from windlass.spec.pipeline import Pipeline


def paths_of(pipeline: Pipeline, catalog: Catalog) -> list[str]:
    """The files that the pipeline names, in any environment, sorted."""
    found: set[str] = set()
    for each in (pipeline, *pipeline.variants.values()):
        texts = [each.dag.docs, *(task.docs for task in each.task_ids.values())]
        found |= {docs for docs in texts if docs and is_path(docs)}
        for task in each.task_ids.values():
            operator = catalog.operators.get(task.operator_type or "")
            found |= set(_files(arguments_with_files(task.arguments, operator)))
    return sorted(found)


def filled(value: Any, texts: Mapping[str, str]) -> Any:
    """`value` with each file in it replaced by its text."""
    if is_file(value):
        return texts[value[FILE]]
    if isinstance(value, Mapping):
        return {key: filled(item, texts) for key, item in value.items()}
    return [filled(item, texts) for item in value] if isinstance(value, list) else value


def documentation(docs: str, texts: Mapping[str, str]) -> str:
    """The Markdown that `docs` is, or that is in the file that it names."""
    return texts[docs] if is_path(docs) else docs


def _files(value: Any) -> Iterator[str]:
    if is_file(value):
        yield value[FILE]
    elif isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _files(item)
