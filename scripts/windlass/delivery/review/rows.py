"""Clears what Airflow keeps of a review that is over: runs, task instances and the DAG itself, in its database."""

from dataclasses import dataclass
from typing import Protocol

from windlass.spec.airflow import DagReport
from windlass.spec.errors import DeliveryError, ServiceError


class AirflowRows(Protocol):
    """What clearing asks an Airflow. Every method raises TransientError (no answer) or ServiceError (refused)."""

    def dags(self, bundle: str) -> list[DagReport]:
        """All DAGs of the bundle, stale ones too."""

    def delete_dag(self, dag_id: str) -> None:
        """Deletes what there is of the DAG; DeliveryError when there is no such DAG."""


@dataclass(frozen=True)
class Cleared:
    """The DAGs of which nothing is left, and the others with the reason, sorted."""

    gone: tuple[str, ...]
    left: tuple[tuple[str, str], ...]


def clear_rows(airflow: AirflowRows, bundle: str, project: str) -> Cleared:
    """Deletes each DAG of the project that Airflow no longer finds in the bundle.

    One that it still finds would come back as a new one: it is left, and so is one whose tasks are running.
    """
    gone: list[str] = []
    left: list[tuple[str, str]] = []
    own = [dag for dag in airflow.dags(bundle) if dag.file.startswith(f"{project}/")]
    for dag in sorted(own, key=lambda dag: dag.dag_id):
        if not dag.is_stale:
            left.append((dag.dag_id, "Airflow has not noticed yet that it went"))
            continue
        try:
            airflow.delete_dag(dag.dag_id)
        except ServiceError as refused:
            left.append((dag.dag_id, str(refused)))
            continue
        except DeliveryError:  # somebody else was faster
            pass
        gone.append(dag.dag_id)
    return Cleared(tuple(gone), tuple(left))
