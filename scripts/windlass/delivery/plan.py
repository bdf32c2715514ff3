"""What a promotion or a rollback would change, decided from facts alone: nothing is read or written here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from windlass.delivery.archive import Release
from windlass.delivery.fingerprint import fingerprints
from windlass.spec.environment import RuntimeSettings
from windlass.spec.model import ModelVersion, failed_gates
from windlass.spec.state import Hold, ProjectState, State
from windlass.spec.verdict import Verdict

Action = Literal["promote", "rollback"]
Metrics = Mapping[str, float]


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

    `gate` is None where there is no environment before, or none that can be verified.
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


@dataclass(frozen=True)
class ModelChange:
    """One model of the release: the version that was live (None: new) and the one that will be (None: removed)."""

    name: str
    before: str | None
    after: str | None
    metrics_before: Metrics
    metrics_after: Metrics


@dataclass(frozen=True)
class PipelineChanges:
    """DAG ids, sorted. `rebuilt` have the same YAML as before and other code: an operator, the runtime, a model."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    rebuilt: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What would be done in one environment to one project; `refusals` are the reasons for which it must not be.

    `hold` is a hold that the change sets beside what it does.
    """

    action: Action
    environment: str
    project: str
    after: ProjectState
    before: ProjectState | None
    settings: RuntimeSettings
    settings_changed: bool
    pipelines: PipelineChanges
    models: tuple[ModelChange, ...]
    refusals: tuple[str, ...]
    copy_models: tuple[str, ...]
    copy_release: bool
    untrained: tuple[str, ...]
    hold: Hold | None = None

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
        return _describe(self)

    def as_json(self) -> dict[str, object]:
        """The plan for a machine."""
        return _as_json(self)


def plan_promotion(project: str, origin: Origin, facts: Facts) -> Plan:
    """The plan that makes `facts.release` live. A failed gate is a refusal, whatever else would change.

    A hold and a missing verdict refuse a change only: what is live already may be promoted again in vain.
    """
    plan = _plan("promote", project, origin, facts, _failed_gates(facts))
    if plan.is_live:
        return plan
    return replace(plan, refusals=(*plan.refusals, *_holds(project, facts), *_missing_verdict(project, facts)))


def plan_rollback(project: str, origin: Origin, facts: Facts, hold: Hold | None = None) -> Plan:
    """The plan that makes an earlier release live again; neither gates nor holds stop it. It sets `hold` as well."""
    return replace(_plan("rollback", project, origin, facts, ()), hold=hold)


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
        pipelines=_pipeline_changes(facts.live_release, release),
        models=_model_changes(before, facts),
        refusals=refusals,
        copy_models=tuple(sorted(facts.models.keys() - facts.models_there)),
        copy_release=not facts.release_is_there,
        untrained=tuple(sorted(release.manifest.models.keys() - facts.models.keys())),
    )


def _pipeline_changes(live: Release | None, release: Release) -> PipelineChanges:
    old, new = (live.manifest.pipelines if live else {}), release.manifest.pipelines
    old_prints, new_prints = (fingerprints(live.files) if live else {}), fingerprints(release.files)
    both = old.keys() & new.keys()
    changed = {name for name in both if old[name].source != new[name].source}
    rebuilt = {name for name in both - changed if old_prints.get(name) != new_prints.get(name)}
    return PipelineChanges(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(changed)),
        rebuilt=tuple(sorted(rebuilt)),
    )


def _model_changes(before: ProjectState | None, facts: Facts) -> tuple[ModelChange, ...]:
    old, new = (before.models if before else {}), facts.release.manifest.models
    return tuple(
        ModelChange(
            name,
            old.get(name),
            new.get(name),
            _metrics(facts.live_models, name),
            _metrics(facts.models, name),
        )
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _metrics(models: Mapping[str, ModelVersion], name: str) -> Metrics:
    return dict(models[name].metrics) if name in models else {}


def _failed_gates(facts: Facts) -> tuple[str, ...]:
    reasons: list[str] = []
    for name, model in sorted(facts.models.items()):
        live = facts.live_models.get(name)
        if live is not None and live.version == model.version:
            continue
        failures = failed_gates(model.gates, model.metrics, live.metrics if live else None)
        reasons += [f"model {name!r}, version {model.version}: {failure}" for failure in failures]
    return tuple(reasons)


def _holds(project: str, facts: Facts) -> tuple[str, ...]:
    name = facts.settings.name
    return tuple(
        f"{hold.describe()}; windlass release-hold {name} --project {project}"
        + (f" --release {hold.release[:12]}" if hold.release else "")
        for hold in (facts.state.holds if facts.state else [])
        if hold.project == project and hold.release in (None, facts.release.digest)
    )


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


def _describe(plan: Plan) -> list[str]:
    if plan.is_done:
        return [f"{plan.environment}: {plan.project} is at {_name(plan.after)} already; nothing to do"]
    before = _name(plan.before) if plan.before else "nothing"
    lines = [f"{plan.environment}: {plan.project} from {before} to {_name(plan.after)}"]
    pipelines = plan.pipelines
    lines += [f"  + pipeline {name}" for name in pipelines.added]
    lines += [f"  - pipeline {name}" for name in pipelines.removed]
    lines += [f"  ~ pipeline {name}" for name in pipelines.changed]
    lines += [f"  ~ pipeline {name} (same YAML, other code)" for name in pipelines.rebuilt]
    lines += [f"  {_sign(change)} model {change.name} {_versions(change)}" for change in plan.models]
    lines += [f"  ! model {name} {plan.after.models[name]} is not trained yet" for name in plan.untrained]
    if plan.settings_changed:
        lines.append(f"  ~ settings of {plan.environment}: every pipeline in it is parsed again")
    if plan.copy_models or plan.copy_release:
        copied = [f"model {name}" for name in plan.copy_models] + (["the release"] if plan.copy_release else [])
        lines.append(f"  to copy: {', '.join(copied)}")
    lines += [f"  ! {plan.hold.describe()}"] if plan.hold else []
    lines += [f"  refused: {reason}" for reason in plan.refusals]
    return lines


def _name(state: ProjectState) -> str:
    return f"{state.tag or state.commit[:8]} ({state.release[:12]})"


def _sign(change: ModelChange) -> str:
    return "+" if change.before is None else "-" if change.after is None else "~"


def _versions(change: ModelChange) -> str:
    old = f"{change.before}{_figures(change.metrics_before)}" if change.before else ""
    new = f"{change.after}{_figures(change.metrics_after)}" if change.after else ""
    return f"{old} -> {new}" if old and new else old or new


def _figures(metrics: Metrics) -> str:
    shown = ", ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()))
    return f" ({shown})" if shown else ""


def _as_json(plan: Plan) -> dict[str, object]:
    return {
        "action": plan.action,
        "environment": plan.environment,
        "project": plan.project,
        "nothing_to_do": plan.is_done,
        "before": plan.before.model_dump(mode="json") if plan.before else None,
        "after": plan.after.model_dump(mode="json"),
        "pipelines": {
            "added": list(plan.pipelines.added),
            "removed": list(plan.pipelines.removed),
            "changed": list(plan.pipelines.changed),
            "rebuilt": list(plan.pipelines.rebuilt),
        },
        "models": [
            {
                "name": change.name,
                "before": change.before,
                "after": change.after,
                "metrics_before": dict(change.metrics_before),
                "metrics_after": dict(change.metrics_after),
            }
            for change in plan.models
        ],
        "settings_changed": plan.settings_changed,
        "copy": {"models": list(plan.copy_models), "release": plan.copy_release},
        "untrained": list(plan.untrained),
        "hold": plan.hold.model_dump(mode="json") if plan.hold else None,
        "refusals": list(plan.refusals),
    }
