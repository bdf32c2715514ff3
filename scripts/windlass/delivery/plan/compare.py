"""Compares two releases of a project: which pipelines come, go, change or only run other code, and what that means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from windlass.delivery.plan.fields import FieldChange, compare_fields
from windlass.delivery.plan.impact import Impact, Kind, Subject, highest, impact_of
from windlass.delivery.plan.next_runs import Runs, next_runs
from windlass.delivery.plan.shown import one_line
from windlass.delivery.release.archive import Release
from windlass.delivery.release.fingerprint import runs_in_every_dag
from windlass.spec.needs import requires_of
from windlass.spec.pipeline import MODEL_PREFIX
from windlass.spec.release import Requires
from windlass.spec.resolved import Resolved, read_resolved, resolved_path

_DECIDE_RUNS = {("schedule",), ("timezone",), ("start_date",)}


@dataclass(frozen=True)
class PipelineChange:
    """One pipeline that differs. `rebuilt` means: it says the same and runs other code, which `code` names.

    `note` says why no fields are shown, or what is special. `runs` are the next ones before and after, where these
    differ; the first is None for a new pipeline.
    """

    name: str
    kind: Kind
    impact: Impact
    fields: tuple[FieldChange, ...] = ()
    code: tuple[str, ...] = ()
    note: str | None = None
    runs: tuple[Runs | None, Runs] | None = None

    def as_json(self) -> dict[str, Any]:
        """The change for a machine."""
        runs = None
        if self.runs:
            before, after = self.runs
            runs = {"before": before.__dict__ if before else None, "after": after.__dict__}
        return {
            "name": self.name,
            "change": self.kind,
            "impact": self.impact,
            "fields": [field.as_json() for field in self.fields],
            "code": list(self.code),
            "note": self.note,
            "next_runs": runs,
        }


@dataclass(frozen=True)
class Side:
    """A release as it is in an environment, which may overlay its pipelines; no release stands for nothing."""

    release: Release | None
    environment: str | None = None


def compare_releases(before: Side, after: Side, now: datetime | None) -> tuple[PipelineChange, ...]:
    """Each pipeline that differs, by name. Next runs are those after `now`, if it is given."""
    old, new = _names(before.release), _names(after.release)
    changes = [_removed(name) for name in old - new]
    changes += [_added(name, after, now) for name in new - old]
    if before.release and after.release:
        shared = _differing(before.release.files, after.release.files)
        found = [_changed(name, before, after, shared, now) for name in old & new]
        changes += [change for change in found if change is not None]
    return tuple(sorted(changes, key=lambda change: change.name))


def requires_in(side: Side) -> Requires:
    """What the release needs there: of its pipelines as they are in the environment, where all can be read."""
    assert side.release is not None
    found = [_resolved(side, name) for name in side.release.manifest.pipelines]
    pipelines = [one for one in found if isinstance(one, Resolved)]
    return requires_of(pipelines) if len(pipelines) == len(found) else side.release.manifest.requires


def _names(release: Release | None) -> set[str]:
    return set(release.manifest.pipelines) if release else set()


def _removed(name: str) -> PipelineChange:
    return PipelineChange(name, "removed", impact_of(Subject(("pipeline",), "removed")))


def _added(name: str, side: Side, now: datetime | None) -> PipelineChange:
    resolved = _resolved(side, name)
    runs = None
    if isinstance(resolved, Resolved) and now and resolved.dag.get("schedule") is not None:
        runs = (None, next_runs(resolved.dag, now))
    return PipelineChange(name, "added", impact_of(Subject(("pipeline",), "added")), runs=runs)


def _changed(
    name: str, old_side: Side, new_side: Side, shared: tuple[str, ...], now: datetime | None
) -> PipelineChange | None:
    """The change of a pipeline that both have, or None."""
    before, after = old_side.release, new_side.release
    assert before is not None
    assert after is not None
    old, new = _resolved(old_side, name), _resolved(new_side, name)
    same_source = before.manifest.pipelines[name].source == after.manifest.pipelines[name].source
    module = f"dags/{name}.py"
    same_module = before.files.get(module) == after.files.get(module)
    if isinstance(old, Resolved) and isinstance(new, Resolved):
        fields = compare_fields(old, new)
        models = _repinned(new, before, after)
        own = () if fields or same_module else models or (module,)
        return _judged(name, fields, (*own, *shared), same_source, _runs(fields, old, new, now))
    if same_source:
        return _judged(name, (), (*(() if same_module else (module,)), *shared), same_source, None)
    reason = old if isinstance(old, str) else str(new)
    note = f"no fields are shown: {reason}"
    return PipelineChange(name, "changed", impact_of(Subject(("pipeline",), "changed")), (), shared, note)


def _judged(
    name: str,
    fields: tuple[FieldChange, ...],
    code: tuple[str, ...],
    same_source: bool,
    runs: tuple[Runs | None, Runs] | None,
) -> PipelineChange | None:
    rebuilt = [impact_of(Subject(("pipeline",), "rebuilt"))] if code else []
    impact = highest([*(field.impact for field in fields), *rebuilt])
    if impact:
        return PipelineChange(name, "changed" if fields else "rebuilt", impact, fields, code, None, runs)
    if same_source:
        return None
    return PipelineChange(name, "changed", "cosmetic", note="written in another way; it means the same")


def _runs(
    fields: tuple[FieldChange, ...], old: Resolved, new: Resolved, now: datetime | None
) -> tuple[Runs, Runs] | None:
    if now is None or not any(field.task is None and field.path in _DECIDE_RUNS for field in fields):
        return None
    return next_runs(old.dag, now), next_runs(new.dag, now)


def _repinned(pipeline: Resolved, before: Release, after: Release) -> tuple[str, ...]:
    """The models of the pipeline whose version differs."""
    inputs = [task.get("inputs") for task in pipeline.tasks.values()]
    taken = {value for one in inputs if isinstance(one, Mapping) for value in one.values() if isinstance(value, str)}
    names = sorted(value.removeprefix(MODEL_PREFIX) for value in taken if value.startswith(MODEL_PREFIX))
    old, new = before.manifest.models, after.manifest.models
    return tuple(f"model {name}" for name in names if old.get(name) != new.get(name))


def _differing(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[str, ...]:
    """The files that may be part of every DAG and are not the same in both."""
    paths = filter(runs_in_every_dag, before.keys() | after.keys())
    return tuple(sorted(path for path in paths if before.get(path) != after.get(path)))


def _resolved(side: Side, name: str) -> Resolved | str:
    """The pipeline as the release describes it for the environment, or why it does not."""
    release, path = side.release, resolved_path(name)
    assert release is not None
    if path not in release.files:
        return f"release {release.digest[:12]} has no {path}, an earlier windlass built it"
    try:
        return read_resolved(release.files[path], name).within(side.environment)
    except ValueError as error:
        return one_line(f"{path} of release {release.digest[:12]} cannot be read: {error}")
