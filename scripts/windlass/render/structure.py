"""Decides what the rendered module says: its imports, names, tasks and orders, as plain data for the templates."""

from dataclasses import dataclass, replace
from typing import Any

from windlass.render.by_environment import merged
from windlass.render.dag_call import dag_call
from windlass.render.groups import Line, lines
from windlass.render.imports import Import, imports
from windlass.render.literal import Call
from windlass.render.orders import Order, orders
from windlass.render.steps import Steps, steps
from windlass.render.surroundings import Surroundings
from windlass.spec.pipeline import Pipeline


@dataclass(frozen=True)
class Module:
    """A rendered DAG, before it is text."""

    docstring: list[str]
    imports: list[list[Import]]
    dag: Call
    lines: list[Line]
    orders: list[Order]


def module(pipeline: Pipeline, path: str, surroundings: Surroundings) -> Module:
    """What the module for `pipeline` says; `path` is where its YAML is."""
    usual = dag_call(pipeline.dag, surroundings)
    others = {name: dag_call(variant.dag, surroundings) for name, variant in sorted(pipeline.variants.items())}
    found = _steps(pipeline, surroundings, usual, others)
    dag, said = merged(usual, others), orders(pipeline, found)
    return Module(
        docstring=_docstring(pipeline.dag.description, path),
        imports=imports(pipeline, surroundings, [dag, *found.calls.values(), *(order.call for order in said)]),
        dag=dag,
        lines=lines(found),
        orders=said,
    )


def _steps(pipeline: Pipeline, surroundings: Surroundings, usual: Call, others: dict[str, Call]) -> Steps:
    found = steps(pipeline, surroundings)
    variants = {name: steps(variant, surroundings, pipeline) for name, variant in sorted(pipeline.variants.items())}
    if not variants:
        return found
    defaults: dict[str, dict[str, Any]] = {"": usual.keywords["default_args"]}
    defaults |= {name: call.keywords["default_args"] for name, call in others.items()}
    calls = {
        step: merged(call, {name: variant.calls[step] for name, variant in variants.items()}, defaults)
        for step, call in found.calls.items()
    }
    return replace(found, calls=calls)


def _docstring(description: str, path: str) -> list[str]:
    sentence = description.strip()
    if sentence and sentence[-1] not in ".!?":
        sentence += "."
    note = f"Rendered by windlass from {path}; change it there."
    return [sentence, note] if sentence else [note]
