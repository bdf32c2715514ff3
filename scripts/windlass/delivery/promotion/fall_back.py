"""Takes a release back whose verification failed: one swap to what was live before, and a hold on the release."""

from windlass.delivery.place import Place
from windlass.delivery.plan.plan import Origin, Plan, plan_rollback
from windlass.delivery.promotion.perform import Author, Clock, Outcome, Progress, perform
from windlass.delivery.promotion.survey import load_release, survey
from windlass.delivery.release.find import became_live, replaced_by
from windlass.spec.errors import DeliveryError
from windlass.spec.state import Hold, State
from windlass.spec.verdict import Verdict


def fall_back(
    place: Place, state: State, project: str, verdict: Verdict, author: Author, *, clock: Clock, progress: Progress
) -> Outcome | str:
    """The rollback from what `state` has of `project`, or the reason for which the environment stays as it is.

    A rollback is never rolled back. Where nothing else was changed since, the settings go back as well.
    """
    became = became_live(place, state, project)
    if became.deployment.action == "rollback":
        return f"the release became live by a rollback ({became.name}), and a rollback is not rolled back"
    before = replaced_by(place, state, project)
    if before is None:
        return f"{project} had no other release in {place.name} that is not on hold"
    bad, earlier = state.projects[project], before.projects[project]
    reason = f"verification failed: {verdict.reason}"
    hold = Hold(project=project, release=bad.release, reason=reason, actor=author.actor, at=verdict.at)
    origin = Origin(earlier.commit, earlier.tag, earlier.url)

    def decide(current: State | None) -> Plan:
        live = current.projects.get(project) if current else None
        if current is None or live is None or live.release != bad.release:
            raise _Superseded(f"another release of {project} went live meanwhile")
        settings = before.environment if current.name == state.name else current.environment
        release = load_release(place, project, earlier.release)
        return plan_rollback(project, origin, survey(place, place, settings, release, current, earlier.commit), hold)

    try:
        return perform(
            decide, place, place, Author(author.actor, author.job_url, reason), clock=clock, progress=progress
        )
    except _Superseded as superseded:
        return str(superseded)
    except DeliveryError as error:  # the earlier release is damaged or gone
        return str(error)


class _Superseded(DeliveryError):
    """The bad release is not live any more."""
