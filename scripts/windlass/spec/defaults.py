"""`defaults.yml`: what holds for all pipelines below its folder that do not say it themselves."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from windlass.spec.document import Document, Location
from windlass.spec.names import Word
from windlass.spec.overlay import DAG_KEYS, TASK_KEYS
from windlass.spec.problem import near
from windlass.spec.schema import Noun, Text, read_noun
from windlass.spec.task import Job, Task

FILE = "defaults.yml"
OF_DAG = (*DAG_KEYS, "critical")
NOT_OF_OPERATORS = Task.model_fields.keys() - set(TASK_KEYS) | {"job"}


class DefaultsOverlay(Noun):
    """What is different in one environment."""

    dag: dict[str, Any] = {}


class Defaults(Noun):
    """`dag` holds for DAGs and by that for their tasks, `job` for jobs, `operators` for the tasks of an operator."""

    dag: dict[str, Any] = {}
    job: dict[str, Any] = {}
    operators: dict[Text, dict[str, Any]] = {}
    environments: Annotated[dict[Word, DefaultsOverlay], Field(max_length=20)] = {}


def read_defaults(document: Document) -> Defaults | None:
    """The defaults in `document`, or None; what does not fit is added to the document's problems.

    Only the keys are checked: whether a value fits is asked where a pipeline takes it.
    """
    value = document.value
    for key in ("task", "tasks") if isinstance(value, Mapping) else ():
        if key in value:
            message = f"defaults have no {key!r}: what holds for every task stands below dag, as in a pipeline"
            document.problems.append(document.problem((key,), "schema", message, at_key=True))
            return None
    defaults = read_noun(document, Defaults)
    if defaults is not None:
        document.problems.extend(
            document.problem(place, "schema", why, at_key=True) for place, why in _wrong_keys(defaults)
        )
    return defaults


def _wrong_keys(defaults: Defaults) -> Iterator[tuple[Location, str]]:
    for key in defaults.dag.keys() - set(OF_DAG):
        yield ("dag", key), f"dag.{key} has no default{near(key, OF_DAG)}"
    for key in defaults.job.keys() - Job.model_fields.keys():
        yield ("job", key), f"a job has no key {key!r}{near(key, Job.model_fields)}"
    if "execution_script" in defaults.job:
        yield ("job", "execution_script"), "job.execution_script is each job's own"
    for operator, arguments in defaults.operators.items():
        for key in arguments.keys() & NOT_OF_OPERATORS:
            yield ("operators", operator, key), f"{key} is a task's own; it has no default"
    for name, overlay in defaults.environments.items():
        for key in overlay.dag.keys() - set(DAG_KEYS):
            yield (
                ("environments", name, "dag", key),
                f"dag.{key} cannot differ between environments{near(key, DAG_KEYS)}",
            )
