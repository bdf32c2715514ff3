"""An input names a task's output (`group.task.port`) or a model (`model:name`), and an operator has these ports.

An operator's ports are those that its class declares: by name (`{"data": ".csv"}`), any (`{"*": ""}`) or exactly one of
any name (`{"?": ""}`).
"""

from collections.abc import Iterator, Mapping

from windlass.catalog.operator import ANY, ONE, Operator, extension
from windlass.lint.project import PipelineFile, Project
from windlass.lint.rules.known_task import ports
from windlass.spec.document import Document, Location
from windlass.spec.problem import Problem, near
from windlass.spec.task import MODEL_PREFIX, is_reference

NAME = "known-port"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each input that names nothing, and for each port that the operator does not have or needs."""
    models = [file.name for file in project.models]
    for file, _, location, task in project.tasks():
        for place, reference in ports(task):
            is_item = task.for_each is not None and reference == f"{{{task.for_each.item}}}"
            if is_item or (place[0] != "inputs" and not is_reference(reference)):
                continue  # an item of for_each, or an expression
            message = _model(reference, models) if reference.startswith(MODEL_PREFIX) else _output(file, reference)
            if message:
                yield file.document.problem((*location, *place), NAME, message)
        operator = project.catalog.operators.get(task.operator_type or "")
        if operator is not None:
            yield from _ports(file.document, location, "inputs", operator, operator.inputs)
            yield from _ports(file.document, location, "outputs", operator, operator.outputs)


def _model(reference: str, models: list[str]) -> str | None:
    name = reference.removeprefix(MODEL_PREFIX)
    return None if name in models else f"there is no model {name!r} in models/{near(name, models)}"


def _output(file: PipelineFile, reference: str) -> str | None:
    if not reference:
        return None  # the schema has said so
    task_id, _, port = reference.rpartition(".")
    if not is_reference(reference):
        return f"{reference!r} is not a reference; write it as group.task.port or model:name"
    written = file.written_ids.get(task_id)
    outputs = written.get("outputs", {}) if isinstance(written, dict) else None
    if not isinstance(outputs, dict) or port in outputs:
        return None  # known-task or the schema has said so
    if not outputs:
        return f"task {task_id!r} has no outputs"
    return f"task {task_id!r} has no output {port!r}{near(port, outputs)}"


def _ports(
    document: Document, task: Location, kind: str, operator: Operator, ports: Mapping[str, str]
) -> Iterator[Problem]:
    location, who, one = (*task, kind), f"operator {operator.name!r}", kind.removesuffix("s")
    given = document.at(location) or {}
    if not isinstance(given, dict):
        return  # the schema has said so
    for port in given:
        if extension(ports, port) is None:
            message = f"{who} has no {one} {port!r}{near(port, ports)}"
            yield document.problem((*location, port), NAME, message, at_key=True)
    for port in ports:
        if port not in given and port not in (ANY, ONE):
            yield document.problem(location, NAME, f"{who} needs the {one} {port!r}", at_key=True)
    others = [port for port in given if port not in ports]
    if ONE in ports and len(others) != 1:
        message = f"{who} needs exactly one {one}" + (f", not {len(others)}" if others else "")
        yield document.problem(location, NAME, message, at_key=True)
    elif ANY in ports and kind in operator.needs and not given:
        yield document.problem(task, NAME, f"{who} needs {kind}", at_key=True)
