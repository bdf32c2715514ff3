"""A pipeline with a schedule starts today at the latest: before `start_date` Airflow starts nothing, and says nothing.

Where that is what you want, say so: `# windlass: ignore[no-future-start] goes live with the new shop`.
"""

from collections.abc import Iterator
from datetime import date

from windlass.lint.project import Project
from windlass.lint.variants import variants, written
from windlass.spec.problem import Problem

NAME = "no-future-start"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each start date after today, of a pipeline that has a schedule."""
    today = str(date.today())
    for file in project.pipelines:
        for environment, pipeline in variants(file):
            dag = pipeline.dag
            place = written(file, environment, ("dag", "start_date"))
            if dag.schedule is not None and str(dag.start_date)[:10] > today and place in file.document.values:
                message = f"start_date {dag.start_date} is in the future; until then no run starts"
                yield file.document.problem(place, NAME, message)
