"""What the gate of an environment says of a release that is there already."""

from typing import TYPE_CHECKING

from windlass.cli import context
from windlass.cli.gating import gatekeeper

if TYPE_CHECKING:
    from windlass.spec.decision import Decision


def decision_now(
    name: str,
    digest: str | None,
    commit: str | None,
    tag: str | None,
    environments_dir: str | None,
    project_given: str | None,
) -> "Decision | None":
    """What the gate of the environment says of the release that the options mean; None where it has no gate."""
    from windlass.cli import delivering
    from windlass.delivery.gate.question import question
    from windlass.delivery.history.states import load_current
    from windlass.delivery.plan.plan import Origin
    from windlass.delivery.promotion.survey import load_release, survey
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, name)
    upstream = find_environment(all_environments, environment.upstream or name)
    gate = gatekeeper(environment, upstream)
    if gate is None:
        return None
    target = delivering.place(environment)
    source = delivering.place(upstream) if environment.upstream else target
    project = context.project(project_given)
    record = delivering.published(source, project, digest, commit, tag)
    release = load_release(source, project, record.release)
    state = load_current(target.code, target.prefix).state
    gated = delivering.is_gated(environment, upstream)
    settings = context.runtime_settings(environment)
    facts = survey(source, target, settings, release, state, record.commit, trained=False, gated=gated)
    origin = Origin(record.commit, tag or delivering.tag_here(record.commit) or record.tag, record.project_url)
    return gate.ask(question(source, target, facts, origin))
