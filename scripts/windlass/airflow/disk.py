"""The disk side of a bundle: releases staged once, versions that share them, and the link `current` that is swapped.

    releases/<digest>/<project>/...      unpacked once, whoever uses it
    releases/<digest>/record-<hash>.json where it came from: one for each commit that a state named, if it was signed
    versions/<name>/                     for runs that began with that version; Airflow removes the stale ones
    live/<name>/                         for the DAG processor
        state.json  environment.json  <project> -> ../../releases/<digest>/<project>
    current -> live/<name>

A folder appears under its final name by one rename, so whatever exists is whole. Callers hold the bundle's lock.
"""

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Collection
from pathlib import Path

from windlass.delivery.environment.settings import environment_json
from windlass.delivery.release.archive import Release
from windlass.delivery.release.fingerprint import fingerprints
from windlass.spec.errors import WindlassError
from windlass.spec.state import ProjectState, State, read_state

GRACE = 3.0
"""Seconds by which a changed DAG file's mtime lies ahead.

Airflow parses a file again when its mtime is later than the end of its last parse. A parse that was under way during
the swap ends after it, yet read the old file: the head start makes Airflow look once more.
"""
_KEPT_LIVE = 2


class Disk:
    """The folders of one bundle below `root`; `projects` limits what its versions show, None shows all."""

    def __init__(self, root: Path, projects: Collection[str] | None) -> None:
        self.root = root
        self._projects = projects
        self.current = root / "current"
        self.versions = root / "versions"
        self._releases = root / "releases"
        self._live = root / "live"
        self._aside = root / "aside"
        self._etag = root / "etag"

    def chosen(self, state: State) -> dict[str, ProjectState]:
        """The projects of `state` that the bundle shows."""
        names = state.projects if self._projects is None else self._projects
        return {name: project for name, project in state.projects.items() if name in names}

    def state_of(self, version: Path) -> State | None:
        """The state that the folder `version` shows, or None."""
        path = version / "state.json"
        try:
            return read_state(path.read_bytes(), str(path))
        except (FileNotFoundError, WindlassError):
            return None

    def live_state(self) -> State | None:
        """The state that `current` leads to, or None when nothing was ever staged."""
        return self.state_of(self.current)

    def etag(self) -> str | None:
        """The etag of `state.json` in S3 when `current` was staged from it."""
        try:
            name, _, etag = self._etag.read_text().partition("\n")
        except FileNotFoundError:
            return None
        live = self.live_state()
        return etag if live and live.name == name and self.is_whole(self.current) else None

    def is_whole(self, version: Path) -> bool:
        """Whether everything that the version's state names is there."""
        state = self.state_of(version)
        if state is None:
            return False
        links = [path.name for path in version.iterdir() if path.is_symlink() and path.exists()]
        return set(links) == self.chosen(state).keys() and (version / "environment.json").exists()

    def has_release(self, digest: str) -> bool:
        """Whether the release is unpacked here."""
        return (self._releases / digest).is_dir()

    def keep_release(self, release: Release) -> None:
        """Unpacks a release that was read and checked: plain files only, written aside, then moved by one rename."""
        aside = self._new_aside()
        root = aside / release.manifest.project
        for path, content in release.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        (aside / "fingerprints.json").write_text(json.dumps(fingerprints(release.files), sort_keys=True))
        _open_for_reading(aside)
        _make_folder(self._releases)
        aside.rename(self._releases / release.digest)

    def record_of(self, digest: str, commit: str) -> bytes | None:
        """The record of the release that was kept beside it, or None."""
        return _bytes(self._record(digest, commit))

    def keep_record(self, digest: str, commit: str, content: bytes) -> None:
        """Keeps the record of a release that is unpacked already: it can be asked again when other keys are trusted."""
        aside = self._new_aside()
        aside.write_bytes(content)
        aside.chmod(0o644)
        aside.rename(self._record(digest, commit))

    def _record(self, digest: str, commit: str) -> Path:
        named = hashlib.sha256(commit.encode()).hexdigest()  # a state may call anything a commit
        return self._releases / digest / f"record-{named[:16]}.json"

    def link_version(self, state: State, folder: Path) -> None:
        """Makes `folder` the root of a bundle that shows `state`, whose releases are unpacked already."""
        aside = self._new_aside()
        aside.mkdir(parents=True)
        (aside / "state.json").write_bytes(state.to_json())
        (aside / "environment.json").write_bytes(environment_json(state.environment))
        for name, project in self.chosen(state).items():
            (aside / name).symlink_to(Path("..", "..", "releases", project.release, name))
        _open_for_reading(aside)
        _make_folder(folder.parent)
        if folder.exists():
            self._discard(folder)
        aside.rename(folder)

    def go_live(self, state: State, etag: str) -> None:
        """Makes `state` what the DAG processor sees, by one swap of the link `current`."""
        folder = self._live / state.name
        if not self.is_whole(folder):
            self.link_version(state, folder)
        if not self.current.exists() or self.current.resolve() != folder.resolve():
            self._set_times(self.current, folder, self.chosen(state))
            self._point_to(folder)
        aside = self._new_aside()
        aside.write_text(f"{state.name}\n{etag}")
        aside.rename(self._etag)

    def go_empty(self) -> None:
        """An environment to which nothing was ever promoted: an empty folder."""
        (self._live / "none").mkdir(parents=True, exist_ok=True)
        self._point_to(self._live / "none")

    def _point_to(self, folder: Path) -> None:
        aside = self._new_aside()
        aside.symlink_to(folder.relative_to(self.root))
        aside.rename(self.current)

    def _set_times(self, before: Path, after: Path, projects: Collection[str]) -> None:
        """A DAG file that would run as before keeps its mtime; every other one gets a new one."""
        same_settings = _bytes(before / "environment.json") == _bytes(after / "environment.json")
        for project in projects:
            old, new = _fingerprints(before / project), _fingerprints(after / project)
            for dag_id, fingerprint in new.items():
                path, previous = after / project / f"dags/{dag_id}.py", before / project / f"dags/{dag_id}.py"
                if same_settings and old.get(dag_id) == fingerprint and previous.exists():
                    mtime = previous.stat().st_mtime_ns
                else:
                    mtime = time.time_ns() + int(GRACE * 1e9)
                os.utime(path, ns=(mtime, mtime))

    def clean(self) -> None:
        """Removes what nothing leads to: leftovers of a crash, live versions but the newest two, unused releases."""
        for leftover in self._aside.glob("*"):
            _remove(leftover)
        current = self.current.resolve()
        live = sorted(self._live.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
        others = [path for path in live if path.resolve() != current]
        for folder in others[_KEPT_LIVE - 1 :]:
            self._discard(folder)
        used = {
            link.readlink().parts[-2]
            for parent in (self._live, self.versions)
            for link in parent.glob("*/*")
            if link.is_symlink()
        }
        for release in self._releases.glob("*"):
            if release.name not in used:
                self._discard(release)

    def _discard(self, folder: Path) -> None:
        """Removes a folder so that a crash half-way leaves nothing that looks whole."""
        aside = self._new_aside()
        folder.rename(aside)
        _remove(aside)

    def _new_aside(self) -> Path:
        self._aside.mkdir(parents=True, exist_ok=True)
        return self._aside / uuid.uuid4().hex


def _fingerprints(project: Path) -> dict[str, str]:
    path = project.resolve().parent / "fingerprints.json"
    found: dict[str, str] = json.loads(path.read_bytes()) if path.exists() else {}
    return found


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)


def _open_for_reading(folder: Path) -> None:
    """Lets other users read what was staged, whatever the umask: tasks may run as another user (`run_as_user`)."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
