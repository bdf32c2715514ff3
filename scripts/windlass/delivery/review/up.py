"""Decides what a review makes live: its own project and nothing else of the environment, not even the settings."""

from windlass.delivery.place import Place
from windlass.delivery.plan.plan import Origin, Plan, plan_promotion, with_decision
from windlass.delivery.promotion.survey import Decide, survey
from windlass.delivery.release.archive import Release
from windlass.spec.environment import RuntimeSettings
from windlass.spec.errors import DeliveryError
from windlass.spec.review import is_review
from windlass.spec.state import State


def deciding_review(place: Place, settings: RuntimeSettings, release: Release, origin: Origin) -> Decide:
    """Plans to make the review's `release` live against whatever state is live then.

    The environment keeps the settings that it has: those of a merge request are not merged yet. `settings` are for one
    that has no state yet. A frozen environment refuses.
    """
    project = release.manifest.project
    if not is_review(project):
        raise DeliveryError(f"{project} is no review; windlass promote delivers it")

    def decide(state: State | None) -> Plan:
        kept = state.environment if state else settings
        facts = survey(place, place, kept, release, state, origin.commit)
        plan = plan_promotion(project, origin, facts)
        return plan if plan.is_live else with_decision(plan, facts, None)

    return decide
