"""Puts a whole environment back to an earlier state in one swap: every project, the settings; no holds, no reviews."""

from dataclasses import dataclass, replace

from windlass.delivery.place import Place
from windlass.delivery.plain.lay_out import lay_out
from windlass.delivery.promotion.models import load_described
from windlass.delivery.promotion.perform import SYSTEM_CLOCK, Author, Clock, Progress, Swap, swap_state, timestamp
from windlass.delivery.promotion.survey import load_release
from windlass.delivery.release.trust import Claim, doubts
from windlass.spec.errors import DeliveryError
from windlass.spec.review import is_review
from windlass.spec.state import Deployment, ProjectState, State


@dataclass(frozen=True)
class Return:
    """What going back from `live` to the content of `earlier` changes: per project what is there before and after."""

    environment: str
    live: State
    earlier: State

    @property
    def content(self) -> dict[str, ProjectState]:
        """The projects as they will be: a review that was closed since does not come back, and none goes."""
        reviews = {name: live for name, live in self.live.projects.items() if is_review(name)}
        return {name: then for name, then in self.earlier.projects.items() if not is_review(name)} | reviews

    @property
    def projects(self) -> dict[str, tuple[ProjectState | None, ProjectState | None]]:
        """Each project that changes."""
        before, after = self.live.projects, self.content
        return {
            name: (before.get(name), after.get(name))
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        }

    @property
    def settings_changed(self) -> bool:
        """Whether the environment's settings go back too."""
        return self.live.environment != self.earlier.environment

    @property
    def is_done(self) -> bool:
        """Whether the environment is as it was then."""
        return not self.projects and not self.settings_changed

    def describe(self) -> list[str]:
        """The change in lines for a person."""
        if self.is_done:
            return [f"{self.environment}: everything is as in {self.earlier.name} already; nothing to do"]
        lines = [f"{self.environment}: from {self.live.name} to what was live in {self.earlier.name}"]
        for name, (before, after) in self.projects.items():
            sign = "+" if before is None else "-" if after is None else "~"
            lines.append(f"  {sign} {name} from {_name(before)} to {_name(after)}")
        if self.settings_changed:
            lines.append(f"  ~ settings of {self.environment}: every pipeline in it is parsed again")
        return lines

    def as_json(self) -> dict[str, object]:
        """The change for a machine."""
        return {
            "action": "rollback",
            "environment": self.environment,
            "nothing_to_do": self.is_done,
            "back_to": self.earlier.name,
            "settings_changed": self.settings_changed,
            "projects": {
                name: {
                    "before": before.model_dump(mode="json") if before else None,
                    "after": after.model_dump(mode="json") if after else None,
                }
                for name, (before, after) in self.projects.items()
            },
        }


def go_back(
    place: Place,
    earlier: State,
    author: Author,
    *,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = lambda message: None,
) -> tuple[Return, Swap]:
    """Makes the content of `earlier` live again. DeliveryError, with nothing changed, when a release of it is gone."""
    made: list[Return] = []

    def successor(live: State | None) -> State | None:
        assert live is not None  # `earlier` was live once
        made.append(Return(place.name, live, earlier))
        if made[-1].is_done:
            return None
        _require_trust(place, made[-1])
        return State(
            serial=live.serial + 1,
            previous=live.name,
            environment=earlier.environment,
            projects=made[-1].content,
            holds=live.holds,
            frozen=live.frozen,
            policy=live.policy,
            deployment=Deployment(
                action="rollback",
                project=None,
                back_to=earlier.name,
                actor=author.actor,
                job_url=author.job_url,
                reason=author.reason,
                at=timestamp(clock.now()),
            ),
        )

    def check() -> None:
        for name, (_, after) in made[-1].projects.items():
            if after is not None:
                load_release(place, name, after.release)

    swap = swap_state(place, successor, check, clock=clock, progress=progress)
    if place.plain:
        projects = made[-1].live.projects.keys() | earlier.projects.keys()
        swap = replace(swap, laid_out=lay_out(place, projects, sleep=clock.sleep, progress=progress))
    return made[-1], swap


def _require_trust(place: Place, back: Return) -> None:
    """DeliveryError, with every reason, when the environment does not trust a release that it would go back to."""
    reasons: list[str] = []
    for name, (_, after) in back.projects.items():
        if after is not None:
            described = {model: load_described(place, model, version) for model, version in after.models.items()}
            digests = {model: found[1] if found else "" for model, found in described.items()}
            reasons += doubts(place, place, Claim(name, after.release, after.commit), digests)
    if reasons:
        raise DeliveryError(f"{place.name} stays as it is: {'; '.join(reasons)}")


def _name(state: ProjectState | None) -> str:
    return f"{state.tag or state.commit[:8]} ({state.release[:12]})" if state else "nothing"
