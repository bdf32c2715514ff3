"""What a gate is asked about: one release on its way into one environment, with what the buckets know about it."""

from collections.abc import Callable
from dataclasses import dataclass

from windlass.delivery.gate.origin import origin_before
from windlass.delivery.gate.overrides import load_overrides
from windlass.delivery.place import Place
from windlass.delivery.plan.plan import Facts, Origin
from windlass.delivery.release.archive import Release
from windlass.delivery.verification.verdicts import load_verdicts
from windlass.spec.decision import Decision
from windlass.spec.evidence import Frozen, Override, PolicyOrigin, Verified
from windlass.spec.resolved import read_resolved, resolved_path
from windlass.spec.verdict import Verdicts


@dataclass(frozen=True)
class Question:
    """May `release` of `project`, built from `commit`, come into `environment`, where `live` is the commit of now?"""

    environment: str
    project: str
    release: str
    commit: str
    tag: str | None = None
    live: str | None = None
    critical: tuple[str, ...] = ()
    verified: Verified | None = None
    frozen: Frozen | None = None
    overrides: tuple[Override, ...] = ()
    origin: PolicyOrigin | None = None


Ask = Callable[[Question], Decision | None]
"""Asks the gate of an environment; None where it has none."""


def question(source: Place, target: Place, facts: Facts, origin: Origin) -> Question:
    """The question about the release that `facts` are about; `source` is the environment before `target`, or itself."""
    project, release = facts.release.manifest.project, facts.release
    live = facts.state.projects.get(project) if facts.state else None
    return Question(
        environment=target.name,
        project=project,
        release=release.digest,
        commit=origin.commit,
        tag=origin.tag,
        live=live.commit if live else None,
        critical=critical_pipelines(facts.settings.name, release, facts.live_release),
        verified=verified_in(source.name, load_verdicts(source, project, release.digest)) if facts.gate else None,
        frozen=facts.state.frozen if facts.state else None,
        overrides=tuple(load_overrides(target, project, release.digest)),
        origin=origin_before(target, facts.state),
    )


def critical_pipelines(environment: str, *releases: Release | None) -> tuple[str, ...]:
    """The pipelines that are critical in any of the releases; one that cannot be read may be."""
    found: set[str] = set()
    for release in releases:
        for name in release.manifest.pipelines if release else ():
            assert release is not None
            try:
                resolved = read_resolved(release.files[resolved_path(name)], name).within(environment)
            except (KeyError, ValueError):
                found.add(name)
                continue
            if resolved.dag.get("critical"):
                found.add(name)
    return tuple(sorted(found))


def verified_in(environment: str, verdicts: Verdicts) -> Verified:
    """The result that counts, and since when the release has passed without a failure."""
    decisive = verdicts.decisive
    since = None
    for verdict in verdicts.verdicts:  # newest first
        if verdict.result == "fail":
            break
        if verdict.result == "pass":
            since = verdict.at
    return Verified(environment=environment, result=decisive.result if decisive else None, since=since)
