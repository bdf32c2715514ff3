"""Every `{name}` in a script is a port (of a model: its data, outputs and parameters), and the script uses them all.

Left to the shell and to Airflow are `${NAME}`, `{{ ds }}` and braces with anything but one lower-case word inside.
"""

import re
from collections.abc import Iterator

from windlass.lint.project import PipelineFile, Project, place
from windlass.lint.variants import variants, written
from windlass.spec.document import Document, Location
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem, near

NAME = "known-placeholder"

_PLACEHOLDER = re.compile(r"(?<![{$])\{([a-z][a-z0-9_]*)\}(?!\})")


def check(project: Project) -> Iterator[Problem]:
    """A problem for each placeholder that names nothing, and for each port or parameter that the script leaves out."""
    for file in project.pipelines:
        for environment, pipeline in variants(file):
            yield from _of_tasks(file, environment, pipeline)
    for model_file in project.models:
        if (model := model_file.model) is not None:
            kinds = ("data", "outputs", "parameters")
            ports: dict[str, Location] = {name: (kind, name) for kind in kinds for name in getattr(model, kind)}
            script: Location = ("train", "execution_script")
            yield from _check(model_file.document, script, model.train.execution_script, ports)


def _of_tasks(file: PipelineFile, environment: str | None, pipeline: Pipeline) -> Iterator[Problem]:
    for task_id, task in pipeline.task_ids.items():
        location = place(task_id)
        if task.job:
            ports: dict[str, Location] = {
                name: (*location, kind, name) for kind in ("inputs", "outputs") for name in getattr(task, kind)
            }
            if task.for_each and f"{{{task.for_each.item}}}" not in task.inputs.values():
                ports[task.for_each.item] = (*location, "for_each", "as")
            script = written(file, environment, (*location, "job", "execution_script"))
            yield from _check(file.document, script, task.job.execution_script, ports)


def _check(document: Document, location: Location, script: str, ports: dict[str, Location]) -> Iterator[Problem]:
    if not script:
        return  # the schema has said so
    used = dict.fromkeys(_PLACEHOLDER.findall(script))
    for name in used:
        if name not in ports:
            yield document.problem(location, NAME, f"the script takes {{{name}}}, which is no port{near(name, ports)}")
    for name, port in ports.items():
        if name not in used and _PLACEHOLDER.fullmatch(f"{{{name}}}"):
            message = f"{name!r} is declared but the script never uses {{{name}}}"
            yield document.problem(port, NAME, message, at_key=True)
