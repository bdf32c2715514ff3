"""Every `{name}` in a script is a port (of a model: its data, outputs and parameters), and the script uses them all.

Left to the shell and to Airflow are `${NAME}`, `{{ ds }}` and braces with anything but one lower-case word inside.
"""

import re
from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.document import Document, Location
from windlass.spec.problem import Problem, near

NAME = "known-placeholder"

_PLACEHOLDER = re.compile(r"(?<![{$])\{([a-z][a-z0-9_]*)\}(?!\})")


def check(project: Project) -> Iterator[Problem]:
    """A problem for each placeholder that names nothing, and for each port or parameter that the script leaves out."""
    for file, _, location, task in project.tasks():
        if task.job:
            ports = {name: (*location, kind, name) for kind in ("inputs", "outputs") for name in getattr(task, kind)}
            if task.for_each and f"{{{task.for_each.item}}}" not in task.inputs.values():
                ports[task.for_each.item] = (*location, "for_each", "as")
            yield from _check(file.document, (*location, "job", "execution_script"), task.job.execution_script, ports)
    for model_file in project.models:
        if (model := model_file.model) is not None:
            kinds = ("data", "outputs", "parameters")
            ports = {name: (kind, name) for kind in kinds for name in getattr(model, kind)}
            place: Location = ("train", "execution_script")
            yield from _check(model_file.document, place, model.train.execution_script, ports)


def _check(document: Document, place: Location, script: str, ports: dict[str, Location]) -> Iterator[Problem]:
    if not script:
        return  # the schema has said so
    used = dict.fromkeys(_PLACEHOLDER.findall(script))
    for name in used:
        if name not in ports:
            yield document.problem(place, NAME, f"the script takes {{{name}}}, which is no port{near(name, ports)}")
    for name, location in ports.items():
        if name not in used and _PLACEHOLDER.fullmatch(f"{{{name}}}"):
            message = f"{name!r} is declared but the script never uses {{{name}}}"
            yield document.problem(location, NAME, message, at_key=True)
