"""Takes a project out of an environment: its DAGs go with the swap, its releases stay until `gc`.

A run that has begun keeps the version that it began with. The project's holds go too.
"""

from dataclasses import dataclass
from typing import Any

from windlass.delivery.history.states import load_current
from windlass.delivery.place import Place
from windlass.delivery.plain.lay_out import lay_out
from windlass.delivery.promotion.perform import SYSTEM_CLOCK, Author, Clock, Progress, Swap, swap_state, timestamp
from windlass.spec.state import Deployment, ProjectState, State


@dataclass(frozen=True)
class Removal:
    """What goes: the project as it is live in the environment; `before` is None where it is not."""

    environment: str
    project: str
    before: ProjectState | None

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to take out."""
        return self.before is None

    def describe(self) -> list[str]:
        """The change in lines for a person."""
        if self.before is None:
            return [f"{self.environment} has no {self.project}; nothing to do"]
        gone = [f"  - pipeline {name}" for name in self.before.pipelines]
        return [f"{self.environment}: {self.project} is taken out (release {self.before.release[:12]})", *gone]

    def as_json(self) -> dict[str, Any]:
        """The change for a machine."""
        return {
            "action": "remove",
            "environment": self.environment,
            "project": self.project,
            "nothing_to_do": self.is_done,
            "before": self.before.model_dump(mode="json") if self.before else None,
        }


def plan_removal(environment: str, project: str, state: State | None) -> Removal:
    """What taking the project out of `state` changes."""
    return Removal(environment, project, state.projects.get(project) if state else None)


def remove(
    place: Place,
    project: str,
    author: Author,
    *,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = lambda message: None,
) -> tuple[Removal, Swap | None]:
    """Takes the project out; where it is out already nothing changes. No swap: nothing was ever live in the place."""
    made: list[Removal] = []

    def successor(state: State | None) -> State | None:
        made.append(plan_removal(place.name, project, state))
        if state is None or made[-1].before is None:
            return None
        return _successor(state, made[-1].before, project, author, timestamp(clock.now()))

    live = load_current(place.code, place.prefix).state
    if live is None:
        return plan_removal(place.name, project, None), None
    swap = swap_state(place, successor, clock=clock, progress=progress)
    if place.plain:
        lay_out(place, [project], sleep=clock.sleep, progress=progress)
    return made[-1], swap


def _successor(state: State, before: ProjectState, project: str, author: Author, at: str) -> State:
    return State(
        serial=state.serial + 1,
        previous=state.name,
        environment=state.environment,
        projects={name: live for name, live in state.projects.items() if name != project},
        holds=[hold for hold in state.holds if hold.project != project],
        frozen=state.frozen,
        policy=state.policy,
        deployment=Deployment(
            action="remove",
            project=project,
            replaces=before.release,
            actor=author.actor,
            job_url=author.job_url,
            reason=author.reason,
            at=at,
        ),
    )
