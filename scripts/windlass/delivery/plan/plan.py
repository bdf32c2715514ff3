"""What a promotion or a rollback would change, decided from facts alone: nothing is read or written here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from windlass.delivery.plan.changes import Changes, compare_settings
from windlass.delivery.plan.compare import Side, compare_releases, requires_in
from windlass.delivery.plan.lines import plan_json, plan_lines
from windlass.delivery.plan.model_changes import compare_models
from windlass.delivery.plan.needs import Offer, unmet_needs
from windlass.delivery.plan.shown import one_line
from windlass.delivery.release.archive import Release
from windlass.spec.decision import Decision
from windlass.spec.environment import RuntimeSettings
from windlass.spec.model import ModelVersion, failed_gates
from windlass.spec.state import Hold, ProjectState, State
from windlass.spec.verdict import Verdict

Action = Literal["promote", "rollback"]


@dataclass(frozen=True)
class Origin:
    """Where the release to promote comes from."""

    commit: str
    tag: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Gate:
    """The verdict about the release in the environment `upstream`, on which a promotion depends; None: none yet."""

    upstream: str
    verdict: Verdict | None


@dataclass(frozen=True)
class Facts:
    """All that a plan is made from. `live_release` and `live_models` are None and empty where there is nothing yet.

    `gate` is None where there is no environment before, or none that can be verified. `offer` is None where nobody asks
    what the release needs of Airflow, `now` where nobody asks for the next runs. `doubts` are the reasons for which the
    environment does not trust the release.
    """

    state: State | None
    settings: RuntimeSettings
    release: Release
    live_release: Release | None
    models: Mapping[str, ModelVersion]
    live_models: Mapping[str, ModelVersion]
    release_is_there: bool
    models_there: frozenset[str]
    gate: Gate | None = None
    doubts: tuple[str, ...] = ()
    offer: Offer | None = None
    now: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """What would be done in one environment to one project; `refusals` are the reasons for which it must not be.

    `hold` is a hold that the change sets beside what it does. `unasked` says why Airflow was not asked for what it has.
    `decision` is that of the environment's gate; None where it has none, or where nothing would change.
    """

    action: Action
    environment: str
    project: str
    after: ProjectState
    before: ProjectState | None
    settings: RuntimeSettings
    settings_changed: bool
    changes: Changes
    refusals: tuple[str, ...]
    copy_models: tuple[str, ...]
    copy_release: bool
    untrained: tuple[str, ...]
    hold: Hold | None = None
    unasked: str | None = None
    decision: Decision | None = None

    @property
    def is_live(self) -> bool:
        """Whether the state is already as the plan would make it."""
        return self.before == self.after and not self.settings_changed

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do at all: the state says so, and what it names is there."""
        return self.is_live and not (self.copy_models or self.copy_release or self.refusals)

    def describe(self) -> list[str]:
        """The plan in lines for a person."""
        return plan_lines(self)

    def as_json(self) -> dict[str, Any]:
        """The plan for a machine."""
        return plan_json(self)


def plan_promotion(project: str, origin: Origin, facts: Facts) -> Plan:
    """The plan that makes `facts.release` live. A failed gate is a refusal, whatever else would change.

    A hold, a missing verdict and a name that is taken refuse a change only: what is live already may be promoted again
    in vain.
    """
    plan = _plan("promote", project, origin, facts, (*facts.doubts, *_failed_gates(facts)))
    if plan.is_live:
        return plan
    more = (*_taken(project, facts), *_holds(project, facts), *_missing_verdict(project, facts))
    return replace(plan, refusals=(*plan.refusals, *more))


def with_decision(plan: Plan, facts: Facts, decision: Decision | None) -> Plan:
    """The plan with what the gate of the environment says; without a gate, a frozen environment refuses."""
    if decision is None:
        return replace(plan, refusals=(*plan.refusals, *_frozen(facts)))
    is_said = any((check.what, check.standing) == ("verified", "refused") for check in decision.checks)
    said = _missing_verdict(plan.project, facts) if is_said else ()
    rest = (reason for reason in plan.refusals if reason not in said)
    return replace(plan, refusals=(*rest, *decision.refusals), decision=decision)


def plan_rollback(project: str, origin: Origin, facts: Facts, hold: Hold | None = None) -> Plan:
    """The plan that makes an earlier release live again; neither gates nor holds stop it. It sets `hold` as well.

    What the environment does not trust does stop it: then nothing would serve the release.
    """
    return replace(_plan("rollback", project, origin, facts, facts.doubts), hold=hold)


def _plan(action: Action, project: str, origin: Origin, facts: Facts, refusals: tuple[str, ...]) -> Plan:
    release, before = facts.release, facts.state.projects.get(project) if facts.state else None
    same = before is not None and (before.release, before.commit) == (release.digest, origin.commit)
    after = ProjectState(
        release=release.digest,
        commit=origin.commit,
        tag=origin.tag or (before.tag if before and same else None),
        models=dict(sorted(release.manifest.models.items())),
        pipelines=sorted(release.manifest.pipelines),
        url=origin.url or (before.url if before and same else None),
    )
    return Plan(
        action=action,
        environment=facts.settings.name,
        project=project,
        after=after,
        before=before,
        settings=facts.settings,
        settings_changed=facts.state is not None and facts.state.environment != facts.settings,
        changes=_changes(before, facts),
        refusals=refusals,
        copy_models=tuple(sorted(facts.models.keys() - facts.models_there)),
        copy_release=not facts.release_is_there,
        untrained=tuple(sorted(release.manifest.models.keys() - facts.models.keys())),
        unasked=facts.offer.unasked if facts.offer else None,
    )


def _changes(before: ProjectState | None, facts: Facts) -> Changes:
    manifest, settings = facts.release.manifest, facts.settings
    live, planned = Side(facts.live_release, settings.name), Side(facts.release, settings.name)
    return Changes(
        pipelines=compare_releases(live, planned, facts.now),
        models=compare_models(before.models if before else {}, manifest.models, facts.live_models, facts.models),
        settings=compare_settings(facts.state.environment if facts.state else None, settings),
        needs=unmet_needs(requires_in(planned), settings, facts.offer),
    )


def _failed_gates(facts: Facts) -> tuple[str, ...]:
    reasons: list[str] = []
    for name, model in sorted(facts.models.items()):
        live = facts.live_models.get(name)
        if live is not None and live.version == model.version:
            continue
        failures = failed_gates(model.gates, model.metrics, live.metrics if live else None)
        reasons += [f"model {name!r}, version {model.version}: {failure}" for failure in failures]
    return tuple(reasons)


def _taken(project: str, facts: Facts) -> tuple[str, ...]:
    """Airflow knows a DAG by its id alone: of two projects with the same id, each would hide the other's."""
    others = facts.state.projects.items() if facts.state else ()
    return tuple(
        f"pipeline {name!r} is live in {facts.settings.name} as one of {other}; give one of the two another dag.name"
        for other, live in sorted(others)
        if other != project
        for name in sorted(facts.release.manifest.pipelines.keys() & set(live.pipelines))
    )


def _holds(project: str, facts: Facts) -> tuple[str, ...]:
    name = facts.settings.name
    return tuple(
        f"{one_line(hold.describe())}; windlass release-hold {name} --project {project}"
        + (f" --release {hold.release[:12]}" if hold.release else "")
        for hold in (facts.state.holds if facts.state else [])
        if hold.project == project and hold.release in (None, facts.release.digest)
    )


def _frozen(facts: Facts) -> tuple[str, ...]:
    frozen, name = facts.state.frozen if facts.state else None, facts.settings.name
    if frozen is None:
        return ()
    return (one_line(f"{name} is {frozen.describe()}; windlass unfreeze {name}"),)


def _missing_verdict(project: str, facts: Facts) -> tuple[str, ...]:
    gate = facts.gate
    if gate is None or (gate.verdict and gate.verdict.result == "pass"):
        return ()
    what = f"release {facts.release.digest[:12]} of {project}"
    remedy = f"run windlass verify {gate.upstream} while it is live there"
    if gate.verdict is None:
        return (f"{what} was not verified in {gate.upstream} yet; {remedy}",)
    verdict = gate.verdict
    found = "failed in" if verdict.result == "fail" else "was inconclusive in"
    at = verdict.at[:16].replace("T", " ")
    return (f"the verification of {what} {found} {gate.upstream} at {at}: {verdict.reason}; {remedy}",)
