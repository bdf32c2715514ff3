"""A pipeline: one YAML file with groups of tasks that becomes one Airflow DAG."""

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from windlass.spec.document import Document
from windlass.spec.duration import Duration
from windlass.spec.names import Filename, Word
from windlass.spec.salvage import salvage_noun
from windlass.spec.schema import Noun, Text, read_noun

MAX_TASKS = 1000
EARLIEST = date(1970, 1, 1)
MODEL_PREFIX = "model:"
"""What an input that is a model begins with: `model:digits`."""


def parse_date(value: object) -> object:
    """The date in text like `2026-01-31`; ValueError says what would be right."""
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a date; write it like 2026-01-31") from None
        if day < EARLIEST:
            raise ValueError(f"{value!r} is before {EARLIEST}; Airflow cannot count from there in every time zone")
        return day
    return value


class Dag(Noun):
    """The pipeline as a whole; `schedule` is a cron expression, a preset like `@daily`, or null for runs on demand."""

    name: Word
    description: str = ""
    schedule: Text | None = None
    timezone: Text = "UTC"
    start_date: Annotated[date, BeforeValidator(parse_date)] = date(2026, 1, 1)
    owner: str = "airflow"
    tags: list[Annotated[str, Field(max_length=100)]] = []
    base_resource: Text | None = None
    critical: bool = False
    retries: int = Field(default=0, ge=0)


class Job(Noun):
    """A command that runs in an image: `{port}` in its script is the local path of that input or output."""

    resource_flavor: Text | None = None
    docker_image: Text
    execution_time: Duration
    execution_script: Text


class Task(Noun):
    """A step of the pipeline: a job, or an operator whose arguments are written beside `operator_type`."""

    model_config = ConfigDict(extra="allow")

    job: Job | None = None
    operator_type: Text | None = None
    inputs: dict[Word, Text] = {}
    outputs: dict[Word, Filename] = {}
    needs: list[Text] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Task":
        if (self.job is None) == (self.operator_type is None):
            raise ValueError("a task needs either 'job' or 'operator_type', and not both")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """The operator's own arguments: every key of the task that the language does not know."""
        return dict(self.model_extra or {})


Group = Annotated[dict[Word, Task], Field(min_length=1)]


class Pipeline(Noun):
    """`tasks` maps each group to its tasks, in the order in which they were written."""

    dag: Dag
    tasks: Annotated[dict[Word, Group], Field(min_length=1)]

    @field_validator("tasks")
    @classmethod
    def _is_not_huge(cls, value: dict[str, dict[str, Task]]) -> dict[str, dict[str, Task]]:
        if sum(map(len, value.values())) > MAX_TASKS:
            raise ValueError(f"more than {MAX_TASKS:,} tasks; split the pipeline")
        return value

    @property
    def task_ids(self) -> dict[str, Task]:
        """Each task by its id `group.task`, in the order in which they were written."""
        return {f"{group}.{name}": task for group, tasks in self.tasks.items() for name, task in tasks.items()}

    @property
    def models(self) -> list[str]:
        """The names of the models that the pipeline's jobs take, sorted."""
        references = (value for task in self.task_ids.values() for value in task.inputs.values())
        return sorted({value.removeprefix(MODEL_PREFIX) for value in references if value.startswith(MODEL_PREFIX)})

    def upstream(self) -> dict[str, set[str]]:
        """The ids of the tasks that each task follows; names that do not exist are left out.

        A task follows the tasks whose outputs it takes and those that it needs; a task with neither follows the whole
        group before it.
        """
        known = self.task_ids
        groups = {group: {f"{group}.{name}" for name in tasks} for group, tasks in self.tasks.items()}
        follows: dict[str, set[str]] = {}
        previous: set[str] = set()
        for group, tasks in self.tasks.items():
            for name, task in tasks.items():
                sources = {value.rpartition(".")[0] for value in task.inputs.values()} & known.keys()
                if not sources and task.needs is None:
                    sources = set(previous)
                for need in task.needs or []:
                    sources |= groups.get(need, {need} & known.keys())
                follows[f"{group}.{name}"] = sources
            previous = groups[group] or previous
        return follows


def read_pipeline(document: Document) -> Pipeline | None:
    """The pipeline in `document`, or None; what does not fit is added to the document's problems."""
    return read_noun(document, Pipeline)


def salvage_pipeline(document: Document) -> Pipeline | None:
    """As much of the pipeline as can be understood; what does not fit is added to the document's problems.

    None too when it has more tasks than rules should look at.
    """
    pipeline = salvage_noun(document, Pipeline)
    return pipeline if pipeline and sum(map(len, pipeline.tasks.values())) <= MAX_TASKS else None
