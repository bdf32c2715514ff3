"""`schedule` is a preset or a cron expression of five fields that Airflow understands and that fires some day."""

from collections.abc import Iterator

from windlass.lint.cron import PRESETS, why_not_cron
from windlass.lint.project import Project
from windlass.spec.problem import Problem, near

NAME = "valid-schedule"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each schedule that cannot be understood."""
    for file in project.pipelines:
        schedule = file.pipeline.dag.schedule if file.pipeline else None
        if not isinstance(schedule, str) or not schedule or schedule in PRESETS:
            continue
        if schedule.startswith("@"):
            message = f"there is no preset {schedule!r}{near(schedule, PRESETS)}"
        else:
            reason = why_not_cron(schedule)
            if reason is None:
                continue
            message = f"schedule {schedule!r}: {reason}"
        yield file.document.problem(("dag", "schedule"), NAME, message)
