"""All that differs for one project between two points, in lines for a person and as JSON: for plans and comparisons."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from windlass.delivery.plan.compare import PipelineChange
from windlass.delivery.plan.fields import differences
from windlass.delivery.plan.impact import Impact, Kind, Subject, highest, impact_of
from windlass.delivery.plan.model_changes import ModelChange
from windlass.delivery.plan.needs import Need
from windlass.delivery.plan.next_runs import Runs
from windlass.delivery.plan.shown import ABSENT, field_name, one_line
from windlass.spec.environment import RuntimeSettings

_SIGNS = {"added": "+", "removed": "-", "changed": "~", "rebuilt": "~"}
_SHOWN_CODE = 4


@dataclass(frozen=True)
class SettingChange:
    """One key of the environment's settings. Values are not told: CI variables may have filled them in."""

    key: str
    kind: Kind
    impact: Impact

    def as_json(self) -> dict[str, str]:
        """The change for a machine."""
        return {"key": self.key, "change": self.kind, "impact": self.impact}


@dataclass(frozen=True)
class Changes:
    """What differs in a project; `settings` are those of the environment, `needs` what the release does not find."""

    pipelines: tuple[PipelineChange, ...] = ()
    models: tuple[ModelChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def impact(self) -> Impact | None:
        """The gravest of all; None where nothing differs."""
        return highest(one.impact for part in (self.pipelines, self.models, self.settings, self.needs) for one in part)

    def named(self, kind: Kind) -> list[str]:
        """The names of the pipelines that changed in this way."""
        return [change.name for change in self.pipelines if change.kind == kind]

    def describe(self, environment: str) -> list[str]:
        """The changes in lines for a person, two columns in; each ends with its impact."""
        lines = [line for change in self.pipelines for line in pipeline_lines(change)]
        lines += [f"  {change.describe()} [{change.impact}]" for change in self.models]
        if self.settings:
            impact = highest(change.impact for change in self.settings)
            keys = ", ".join(change.key for change in self.settings)
            lines.append(f"  ~ settings of {environment}: {keys}; every pipeline in it is parsed again [{impact}]")
        lines += [f"  ! {need.describe(environment)} [{need.impact}]" for need in self.needs]
        return [one_line(line) for line in lines]

    def as_json(self) -> dict[str, Any]:
        """The changes for a machine."""
        return {
            "impact": self.impact,
            "pipelines": [change.as_json() for change in self.pipelines],
            "models": [change.as_json() for change in self.models],
            "settings": [change.as_json() for change in self.settings],
            "needs": [need.as_json() for need in self.needs],
        }


def compare_settings(before: RuntimeSettings | None, after: RuntimeSettings) -> tuple[SettingChange, ...]:
    """The keys that differ; two environments have other names, prefixes and buckets, which say nothing."""
    if before is None:
        return ()
    own = set() if before.name == after.name else {"name", "prefix", "s3"}
    found = differences(before.model_dump(mode="json", exclude=own), after.model_dump(mode="json", exclude=own))
    return tuple(_setting(path, old, new) for path, old, new in found)


def _setting(path: tuple[str, ...], before: Any, after: Any) -> SettingChange:
    kind: Kind = "added" if before is ABSENT else "removed" if after is ABSENT else "changed"
    return SettingChange(field_name(path), kind, impact_of(Subject(("setting", *path), kind)))


def pipeline_lines(change: PipelineChange) -> Iterator[str]:
    """The pipeline's own line, then one for each field, what else runs, and when."""
    about = summary(change)
    yield f"  {_SIGNS[change.kind]} pipeline {change.name}{f': {about}' if about else ''} [{change.impact}]"
    for field in change.fields:
        yield f"      {field.describe()} [{field.impact}]"
    if change.fields and change.code:
        yield f"      ~ other code: {code_text(change.code)}"
    for sign, times in runs_shown(change):
        yield f"      {sign} next runs: {times}"


def summary(change: PipelineChange) -> str:
    """What is to be said of the pipeline beside its fields."""
    if change.kind == "rebuilt":
        return f"same YAML, other code: {code_text(change.code)}"
    return change.note or ""


def code_text(code: tuple[str, ...]) -> str:
    """The first names, and how many more."""
    rest = len(code) - _SHOWN_CODE
    return ", ".join(code[:_SHOWN_CODE]) + (f" and {rest} more" if rest > 0 else "")


def runs_shown(change: PipelineChange) -> list[tuple[str, str]]:
    """The next runs with the sign `-` for those of before and `+` for those of after."""
    before, after = change.runs or (None, None)
    return [(sign, _times(runs)) for sign, runs in (("-", before), ("+", after)) if runs]


def _times(runs: Runs) -> str:
    if runs.times is None:
        return runs.rhythm or "unknown"
    return f"{', '.join(runs.times)} ({runs.timezone})" if runs.times else "none"
