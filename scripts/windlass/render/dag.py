"""Renders one pipeline as the source of an Airflow DAG."""

from functools import cache
from pathlib import Path

import jinja2

from windlass.render.literal import Code, docstring, identifier, imported, laid_out, literal
from windlass.render.structure import module
from windlass.render.surroundings import Surroundings
from windlass.spec.pipeline import Pipeline


def render_dag(pipeline: Pipeline, path: str, surroundings: Surroundings) -> str:
    """The module that defines the DAG of `pipeline`; a model that has no pin stays without a version."""
    text = _templates().get_template("module.py.j2").render(module=module(pipeline, path, surroundings))
    return text.rstrip("\n") + "\n"


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        auto_reload=False,
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701 - the output is Python, and `finalize` prints every value as a literal
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, Code) else literal(value),
        trim_blocks=True,
        lstrip_blocks=False,
        keep_trailing_newline=True,
    )
    filters = {"identifier": identifier, "imported": imported, "laid_out": laid_out, "docstring": docstring}
    environment.filters |= filters | {"spaces": _spaces}
    return environment


def _spaces(depth: int) -> Code:
    return Code("    " * depth)
