"""`schedule` is a preset like `@daily`, or a cron expression of five fields that Airflow understands and that fires."""

from collections.abc import Iterator

from windlass.lint.cron import PRESETS, why_not_cron
from windlass.lint.project import Project
from windlass.lint.variants import variants, written
from windlass.spec.problem import Problem, near

NAME = "valid-schedule"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each schedule that cannot be understood."""
    for file in project.pipelines:
        for environment, pipeline in variants(file):
            schedule = pipeline.dag.schedule
            if isinstance(schedule, str) and (message := _why_not(schedule)):
                yield file.document.problem(written(file, environment, ("dag", "schedule")), NAME, message)


def _why_not(schedule: str) -> str | None:
    if not schedule or schedule in PRESETS:
        return None  # where it is empty, the schema has said so
    if schedule.startswith("@"):
        return f"there is no preset {schedule!r}{near(schedule, PRESETS)}"
    reason = why_not_cron(schedule)
    return f"schedule {schedule!r}: {reason}" if reason else None
