"""What an Airflow still works on, over its REST API: for gc, which must not miss a run."""

from windlass.adapters.airflow import AirflowApi
from windlass.spec.airflow import Run

_UNFINISHED = ("queued", "running")


class AirflowUseApi(AirflowApi):
    """The API, asked for the runs of all DAGs."""

    def unfinished_runs(self) -> list[Run]:
        """The runs of any DAG that are queued or running.

        They are read page by page, forward and backward: a run that ends meanwhile moves the others up by one, and
        what slips past one look is in the other; so is a run that begins between two questions.
        """
        found: dict[tuple[str, str], Run] = {}
        for order in ("id", "-id"):
            for state in _UNFINISHED:
                for one in self._pages("dags/~/dagRuns", "dag_runs", {"state": state, "order_by": order}):
                    run = Run(one["dag_id"], one["dag_run_id"], one["state"], one["bundle_version"])
                    found[run.dag_id, run.run_id] = run
        return list(found.values())
