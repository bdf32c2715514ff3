"""Reads what a plan is made from: the release to deliver, what is live in the target, and what is there already."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from windlass.delivery.gate.question import Ask, question
from windlass.delivery.history.states import load_current
from windlass.delivery.place import Place
from windlass.delivery.plan.needs import Offer
from windlass.delivery.plan.plan import Facts, Gate, Origin, Plan, plan_promotion, plan_rollback, with_decision
from windlass.delivery.promotion.models import is_whole, load_described, load_version
from windlass.delivery.release.archive import Release, read_archive
from windlass.delivery.release.trust import Claim, doubts
from windlass.delivery.verification.verdicts import load_verdicts
from windlass.spec.environment import RuntimeSettings
from windlass.spec.errors import DeliveryError
from windlass.spec.model import ModelVersion
from windlass.spec.release import release_key
from windlass.spec.review import is_review
from windlass.spec.state import ProjectState, State
from windlass.spec.store import Missing, holds

Decide = Callable[[State | None], Plan]
"""Makes the plan against a state: called again whenever somebody else's change came first."""


def fetch_release(place: Place, project: str, digest: str) -> bytes:
    """The archive as it is kept in the environment; not checked yet."""
    key = release_key(place.prefix, project, digest)
    try:
        return place.code.get(key).content
    except Missing as missing:
        raise DeliveryError(f"release {digest[:12]} of {project} is not in {place.name}: {key} is missing") from missing


def load_release(place: Place, project: str, digest: str) -> Release:
    """The release as it is kept in the environment, read and checked."""
    return read_archive(project, digest, fetch_release(place, project, digest))


def survey(
    source: Place,
    target: Place,
    settings: RuntimeSettings,
    release: Release,
    state: State | None,
    commit: str | None,
    *,
    trained: bool = True,
    gated: bool = False,
) -> Facts:
    """The facts for making `release` live in `target`; without `trained`, a model that is not trained is no error.

    `commit` built the release, and the record of that is looked at; None for one that was not published yet.
    With `gated`, the verdict about the release in `source` is one of them.
    """
    project = release.manifest.project
    live = state.projects.get(project) if state else None
    live_release = _live_release(target, project, live)
    models: dict[str, ModelVersion] = {}
    digests: dict[str, str] = {}
    there: set[str] = set()
    for name, version in release.manifest.models.items():
        found = load_described(target, name, version)
        if found is not None and is_whole(target, found[0]):
            there.add(name)
        else:
            found = load_described(source, name, version)
        if found is not None:
            models[name], digests[name] = found
        elif trained:
            raise DeliveryError(
                f"model {name!r}: version {version} is not in {source.name}; train it there with windlass train"
            )
    return Facts(
        state=state,
        settings=settings,
        release=release,
        live_release=live_release,
        models=models,
        live_models=_live_models(target, live),
        release_is_there=_is_there(target, release, live_release),
        models_there=frozenset(there),
        gate=Gate(source.name, load_verdicts(source, project, release.digest).decisive) if gated else None,
        doubts=doubts(source, target, Claim(project, release.digest, commit), digests) if commit else (),
    )


def deciding_promotion(
    source: Place,
    target: Place,
    settings: RuntimeSettings,
    release: Release,
    origin: Origin,
    *,
    trained: bool = True,
    gated: bool = False,
    offer: Offer | None = None,
    now: datetime | None = None,
    ask: Ask | None = None,
) -> Decide:
    """Plans the promotion of `release` against whatever state is live then; `trained` and `gated` as in `survey`.

    `offer` and `now` are for a plan that is shown: see Facts. `ask` asks the gate of the environment, each time anew;
    what is live already needs no gate. A review goes nowhere.
    """
    if is_review(release.manifest.project) and source.name != target.name:
        raise DeliveryError(
            f"{release.manifest.project} is a review and stays in {source.name}: merge the request, "
            "and promote the release of the default branch"
        )

    def decide(state: State | None) -> Plan:
        commit = origin.commit if trained else None
        facts = survey(source, target, settings, release, state, commit, trained=trained, gated=gated)
        plan = plan_promotion(release.manifest.project, origin, replace(facts, offer=offer, now=now))
        if plan.is_live:
            return plan
        decision = ask(question(source, target, facts, origin)) if ask else None
        return with_decision(plan, facts, decision)

    return decide


def deciding_rollback(target: Place, settings: RuntimeSettings, release: Release, origin: Origin) -> Decide:
    """Plans the return to `release`, which lived in `target` before."""

    def decide(state: State | None) -> Plan:
        facts = survey(target, target, settings, release, state, origin.commit)
        return plan_rollback(release.manifest.project, origin, facts)

    return decide


def plan_now(target: Place, decide: Decide) -> Plan:
    """The plan against the state that is live now."""
    return decide(load_current(target.code, target.prefix).state)


def _is_there(target: Place, release: Release, live: Release | None) -> bool:
    """Whether the target has exactly this archive: the live one was read and checked a moment ago."""
    if live is not None and live.digest == release.digest:
        return True
    return holds(target.code, release_key(target.prefix, release.manifest.project, release.digest), release.digest)


def _live_release(target: Place, project: str, live: ProjectState | None) -> Release | None:
    """The release that is live, or None: one that is damaged must not stand in the way of its repair."""
    if live is None:
        return None
    try:
        return load_release(target, project, live.release)
    except DeliveryError:
        return None


def _live_models(target: Place, live: ProjectState | None) -> dict[str, ModelVersion]:
    found = {name: load_version(target, name, version) for name, version in (live.models if live else {}).items()}
    return {name: version for name, version in found.items() if version is not None}
