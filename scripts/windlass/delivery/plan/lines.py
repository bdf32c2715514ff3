"""A plan in lines for a person and as JSON for a machine."""

from typing import TYPE_CHECKING, Any

from windlass.delivery.plan.markdown import as_markdown, code
from windlass.delivery.plan.shown import one_line
from windlass.spec.state import ProjectState

if TYPE_CHECKING:
    from windlass.delivery.plan.plan import Plan


def plan_headline(plan: "Plan") -> str:
    """From what to what, and the gravest impact."""
    if plan.is_done:
        return f"{plan.environment}: {plan.project} is at {release_name(plan.after)} already; nothing to do"
    before = release_name(plan.before) if plan.before else "nothing"
    impact = f": {plan.changes.impact}" if plan.changes.impact else ""
    return f"{plan.environment}: {plan.project} from {before} to {release_name(plan.after)}{impact}"


def plan_lines(plan: "Plan") -> list[str]:
    """The plan, one fact to a line."""
    told = [one_line(f"  {line}") for line in remarks(plan)]
    return [plan_headline(plan), *plan.changes.describe(plan.environment), *told]


def plan_markdown(plan: "Plan", *, longest: int | None = None, elsewhere: str = "") -> str:
    """The plan to paste into a merge request; cut where it is longer, with the Markdown `elsewhere` for the rest."""
    before = release_name(plan.before) if plan.before else "nothing"
    title = f"Plan for {code(plan.environment)}: {code(plan.project)}"
    title += f" from {code(before)} to {code(release_name(plan.after))}"
    limit = {} if longest is None else {"longest": longest}
    return as_markdown(title, plan.changes, plan.environment, remarks(plan), **limit, elsewhere=elsewhere)


def release_notes(plan: "Plan", *, longest: int) -> str:
    """What a release changed in an environment, as Markdown for those who read about the release."""
    before = code(release_name(plan.before)) if plan.before else "nothing"
    title = f"{code(plan.project)} in {code(plan.environment)}: from {before} to {code(release_name(plan.after))}"
    return as_markdown(title, plan.changes, plan.environment, longest=longest)


def remarks(plan: "Plan") -> list[str]:
    """What is to be told beside the changes: work, holds, what is in the way, what is not known."""
    lines = [f"! model {name} {plan.after.models[name]} is not trained yet" for name in plan.untrained]
    if plan.copy_models or plan.copy_release:
        copied = [f"model {name}" for name in plan.copy_models] + (["the release"] if plan.copy_release else [])
        lines.append(f"to copy: {', '.join(copied)}")
    lines += [f"! {plan.hold.describe()}"] if plan.hold else []
    lines += [f"not known: {plan.unasked}"] if plan.unasked else []
    lines += [f"refused: {reason}" for reason in plan.refusals]
    return lines


def release_name(state: ProjectState) -> str:
    """`v1.2.0 (3f9a1c22aabb)`: the tag or commit, and the digest's beginning."""
    return f"{state.tag or state.commit[:8]} ({state.release[:12]})"


def plan_json(plan: "Plan") -> dict[str, Any]:
    """The plan for a machine; docs/plan.md describes it."""
    changes = plan.changes.as_json()
    return {
        "action": plan.action,
        "environment": plan.environment,
        "project": plan.project,
        "nothing_to_do": plan.is_done,
        "impact": plan.changes.impact,
        "before": plan.before.model_dump(mode="json") if plan.before else None,
        "after": plan.after.model_dump(mode="json"),
        "pipelines": {kind: plan.changes.named(kind) for kind in ("added", "removed", "changed", "rebuilt")},
        "changes": changes["pipelines"],
        "models": changes["models"],
        "settings": changes["settings"],
        "settings_changed": plan.settings_changed,
        "needs": changes["needs"],
        "not_known": plan.unasked,
        "copy": {"models": list(plan.copy_models), "release": plan.copy_release},
        "untrained": list(plan.untrained),
        "hold": plan.hold.model_dump(mode="json") if plan.hold else None,
        "refusals": list(plan.refusals),
    }
