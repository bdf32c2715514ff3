"""Which reviews there are: those that are live, and those of which Airflow still keeps rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from windlass.spec.airflow import DagReport
from windlass.spec.review import Standing, review_name, reviewed
from windlass.spec.state import ProjectState, State


@dataclass(frozen=True)
class Review:
    """The review of a merge request of `project`; `live` is None where only Airflow still has something of it."""

    project: str
    iid: int
    live: ProjectState | None

    @property
    def name(self) -> str:
        """What it is called in states and releases."""
        return review_name(self.project, self.iid)

    def as_json(self) -> dict[str, Any]:
        """The review for a machine."""
        live = self.live.model_dump(mode="json") if self.live else None
        return {"project": self.project, "iid": self.iid, "name": self.name, "live": live}


def reviews_of(project: str | None, state: State | None, dags: Iterable[DagReport] = ()) -> list[Review]:
    """The reviews of a project, or of all, in the order of their numbers."""
    live: dict[str, ProjectState | None] = dict(state.projects) if state else {}
    rows = {folder for dag in dags if (folder := dag.file.partition("/")[0])}
    names = {name: found for name in live.keys() | rows if (found := reviewed(name))}
    every = [Review(*found, live.get(name)) for name, found in names.items() if project in (None, found[0])]
    return sorted(every, key=lambda review: (review.project, review.iid))


def closed_ones(reviews: Iterable[Review], standings: Mapping[int, Standing]) -> list[Review]:
    """The reviews that nobody needs any more: one stays of which GitLab did not say so."""
    return [review for review in reviews if standings.get(review.iid) in ("closed", "merged")]
