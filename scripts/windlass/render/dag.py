"""Renders one pipeline as the source of an Airflow DAG."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2

from windlass.catalog.operator import Catalog
from windlass.render.literal import Code, docstring, identifier, laid_out, literal
from windlass.render.structure import module
from windlass.spec.pipeline import Pipeline


def render_dag(pipeline: Pipeline, path: str, project: str, catalog: Catalog, pins: Mapping[str, str]) -> str:
    """The module that defines the DAG of `pipeline`; a model that is not in `pins` stays without a version."""
    text = _templates().get_template("module.py.j2").render(module=module(pipeline, path, project, catalog, pins))
    return text.rstrip("\n") + "\n"


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701 - the output is Python, and `finalize` prints every value as a literal
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, Code) else literal(value),
        trim_blocks=True,
        lstrip_blocks=False,
        keep_trailing_newline=True,
    )
    environment.filters |= {"identifier": identifier, "laid_out": laid_out, "docstring": docstring}
    return environment
