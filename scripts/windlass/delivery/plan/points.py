"""What differs between two points in the life of environments: `prod@v12` and `prod@v13`, or `stage` and `prod`."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from windlass.delivery.history.states import STATE_NAME, load_current
from windlass.delivery.place import Place
from windlass.delivery.plan.changes import Changes, compare_settings
from windlass.delivery.plan.compare import Side, compare_releases
from windlass.delivery.plan.impact import Impact, Kind, Subject, highest, impact_of
from windlass.delivery.plan.lines import release_name
from windlass.delivery.plan.markdown import as_markdown, code
from windlass.delivery.plan.model_changes import compare_models
from windlass.delivery.promotion.models import load_version
from windlass.delivery.promotion.survey import load_release
from windlass.delivery.release.find import lived, state_meant
from windlass.spec.environment import RuntimeSettings
from windlass.spec.errors import DeliveryError
from windlass.spec.model import ModelVersion
from windlass.spec.state import ProjectState

_SERIAL = re.compile(r"[1-9][0-9]{0,5}")
"""What may be a state's serial; seven digits may be the beginning of a commit."""


@dataclass(frozen=True)
class Point:
    """What was live then: by project; `settings` and `state` are None where one release of one project is meant."""

    name: str
    place: Place
    projects: Mapping[str, ProjectState]
    settings: RuntimeSettings | None = None
    state: str | None = None


@dataclass(frozen=True)
class ProjectChange:
    """One project that differs between two points."""

    name: str
    kind: Kind
    before: ProjectState | None
    after: ProjectState | None
    changes: Changes

    @property
    def impact(self) -> Impact:
        """The gravest of its changes, and of its own coming or going."""
        own = impact_of(Subject(("project",), self.kind))
        return (self.changes.impact or "cosmetic") if self.kind == "changed" else own

    def headline(self) -> str:
        """From which release to which."""
        before, after = (release_name(one) if one else "nothing" for one in (self.before, self.after))
        return f"{self.name} from {before} to {after}: {self.impact}"

    def as_json(self) -> dict[str, Any]:
        """The change for a machine."""
        changes = self.changes.as_json()
        return {
            "name": self.name,
            "change": self.kind,
            "impact": self.impact,
            "before": self.before.model_dump(mode="json") if self.before else None,
            "after": self.after.model_dump(mode="json") if self.after else None,
            "changes": changes["pipelines"],
            "models": changes["models"],
        }


@dataclass(frozen=True)
class Difference:
    """All that differs between two points."""

    before: Point
    after: Point
    projects: tuple[ProjectChange, ...]
    settings: Changes

    @property
    def impact(self) -> Impact | None:
        """The gravest; None where both hold the same."""
        settings = [self.settings.impact] if self.settings.impact else []
        return highest([*(project.impact for project in self.projects), *settings])

    def describe(self) -> list[str]:
        """The difference in lines for a person."""
        points = f"{self.before.name} and {self.after.name}"
        if self.impact is None:
            return [f"{points} hold the same"]
        lines = [f"from {self.before.name} to {self.after.name}: {self.impact}"]
        for project in self.projects:
            sign = {"added": "+", "removed": "-"}.get(project.kind, "~")
            lines += [f"{sign} {project.headline()}", *project.changes.describe(self.after.place.name)]
        return [*lines, *self.settings.describe(self.after.place.name)]

    def as_json(self) -> dict[str, Any]:
        """The difference for a machine; docs/plan.md describes it."""
        return {
            **{
                side: {"point": point.name, "environment": point.place.name, "state": point.state}
                for side, point in (("before", self.before), ("after", self.after))
            },
            "same": self.impact is None,
            "impact": self.impact,
            "projects": [project.as_json() for project in self.projects],
            "settings": self.settings.as_json()["settings"],
        }

    def as_markdown(self) -> str:
        """The difference to paste into a merge request: a part for each project."""
        where = self.after.place.name
        title = f"From {code(self.before.name)} to {code(self.after.name)}"
        parts = [
            as_markdown(f"Project {code(one.name)}", one.changes, where, [one.headline()]) for one in self.projects
        ]
        return "\n".join([as_markdown(title, self.settings, where), *parts])


def split_point(point: str) -> tuple[str, str | None]:
    """The environment and what is meant in it: None is what is live now."""
    environment, at, name = point.partition("@")
    if not environment or (at and not name):
        raise DeliveryError(f"{point!r} is no point; write ENV, ENV@TAG, ENV@COMMIT, ENV@DIGEST or ENV@SERIAL")
    return environment, name or None


def load_point(point: str, place: Place, name: str | None, project_here: Callable[[], str]) -> Point:
    """What `name` means in the environment: a state (its serial or name), else a release of the project here."""
    if name is None:
        state = load_current(place.code, place.prefix).state
        if state is None:
            raise DeliveryError(f"nothing was ever promoted to {place.name}; there is nothing to compare")
    elif STATE_NAME.fullmatch(name) or (_SERIAL.fullmatch(name) and _has_serial(place, int(name))):
        state = state_meant(place, name)
    else:
        project = project_here()
        return Point(point, place, {project: lived(place, project, name)})
    return Point(point, place, state.projects, state.environment, state.name)


def _has_serial(place: Place, serial: int) -> bool:
    """Whether the environment came that far: else the digits may be a tag."""
    live = load_current(place.code, place.prefix).state
    return live is not None and serial <= live.serial


def compare_points(before: Point, after: Point, project: str | None, now: datetime) -> Difference:
    """What differs, in all projects of both points or in `project` alone.

    Where one of the points is a release of one project, only that project is compared, and no settings.
    """
    states = before.settings is not None and after.settings is not None
    names = set(before.projects) | set(after.projects)
    if not states:
        names = set(before.projects if before.settings is None else after.projects)
    if project is not None:
        if project not in names:
            known = ", ".join(sorted(names)) or "none"
            raise DeliveryError(f"there is no project {project!r} in {before.name} or {after.name}; valid: {known}")
        names = {project}
    settings = (
        compare_settings(before.settings, after.settings) if states and project is None and after.settings else ()
    )
    return Difference(before, after, tuple(_project_changes(before, after, names, now)), Changes(settings=settings))


def _project_changes(before: Point, after: Point, names: set[str], now: datetime) -> Iterator[ProjectChange]:
    for name in sorted(names):
        old, new = before.projects.get(name), after.projects.get(name)
        if old is None and new is None:
            continue
        if (old.release if old else None) != (new.release if new else None):
            kind: Kind = "added" if old is None else "removed" if new is None else "changed"
            yield ProjectChange(name, kind, old, new, _changes(name, before.place, old, after.place, new, now))


def _changes(
    name: str,
    place_before: Place,
    before: ProjectState | None,
    place_after: Place,
    after: ProjectState | None,
    now: datetime,
) -> Changes:
    old, new = _side(place_before, name, before), _side(place_after, name, after)
    models = [_models(place, state) for place, state in ((place_before, before), (place_after, after))]
    pinned = before.models if before else {}, after.models if after else {}
    return Changes(pipelines=compare_releases(old, new, now), models=compare_models(*pinned, *models))


def _side(place: Place, project: str, state: ProjectState | None) -> Side:
    return Side(load_release(place, project, state.release) if state else None, place.name)


def _models(place: Place, state: ProjectState | None) -> dict[str, ModelVersion]:
    found = {name: load_version(place, name, version) for name, version in (state.models if state else {}).items()}
    return {name: version for name, version in found.items() if version is not None}
