"""A pipeline as a whole: its name, when it runs, whose it is, and what holds for all of its tasks."""

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from windlass.spec.duration import Duration
from windlass.spec.names import Word
from windlass.spec.parameter import Parameter
from windlass.spec.schedule import Day, Schedule
from windlass.spec.schema import Noun, Text


def parse_backoff(value: object) -> object:
    """The factor by which each wait before a retry is longer than the last: `true` is 2; ValueError if it is none."""
    if isinstance(value, bool):
        return 2.0 if value else 0.0
    if isinstance(value, (int, float)) and (value == 0 or 1 < value <= 100):
        return float(value)
    raise ValueError(f"{value!r} is neither true, false nor a factor between 1 and 100")


Backoff = Annotated[float, BeforeValidator(parse_backoff)]
LARGEST = 2_000_000_000
"""The largest number for which Airflow's database has room."""
Weight = Annotated[int, Field(ge=0, le=LARGEST)]
Names = Annotated[list[Word], Field(min_length=1)]


class Notify(Noun):
    """Who hears of what: names that the environment knows. `retry` is about single tasks, all else about runs."""

    failure: Names | None = None
    success: Names | None = None
    retry: Names | None = None
    deadline: Names | None = None


class Dag(Noun):
    """The pipeline as a whole; without a `schedule` it runs on demand."""

    name: Word
    description: str = ""
    docs: Text | None = None
    schedule: Schedule | None = None
    timezone: Text = "UTC"
    start_date: Day = date(2026, 1, 1)
    end_date: Day | None = None
    catchup: bool = False
    owner: str = "airflow"
    tags: list[Annotated[str, Field(max_length=100)]] = []
    base_resource: Text | None = None
    critical: bool = False
    retries: int = Field(default=0, ge=0, le=LARGEST)
    retry_delay: Duration | None = None
    retry_backoff: Backoff | None = None
    max_retry_delay: Duration | None = None
    execution_time: Duration | None = None
    run_time: Duration | None = None
    deadline: Duration | None = None
    max_active_runs: int | None = Field(default=None, ge=1, le=LARGEST)
    max_active_tasks: int | None = Field(default=None, ge=1, le=LARGEST)
    pool: Text | None = None
    queue: Text | None = None
    priority: Weight | None = None
    params: dict[Word, Parameter] = {}
    notify: Notify | None = None

    @model_validator(mode="after")
    def _can_run(self) -> "Dag":
        if self.end_date is not None and str(self.end_date) < str(self.start_date):
            raise ValueError(f"end_date {self.end_date} is before start_date {self.start_date}")
        asked = [name for name, parameter in self.params.items() if not parameter.has_default]
        if asked and self.schedule is not None:
            raise ValueError(f"params.{asked[0]} needs a default: nobody is there to ask when a schedule starts a run")
        return self
