"""A repository and its project on the stand-in: what somebody does there before a pipeline runs."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from windlass.spec.errors import WindlassError

from . import publish
from .event import CLOSE, DELETE, MERGE_REQUEST, SCHEDULE, STOP, TAG
from .people import ROOT, People, client, group_at
from .publish import Rejected, Remote
from .stack import Stack

PLATFORM = "platform/windlass"


class Repository:
    """The working copy at `path` and the project it is pushed to; `user` is who pushes, merges and tags."""

    def __init__(self, stack: Stack, path: Path, report: Callable[[str], None]) -> None:
        settings = stack.settings()
        self.path, self.report = path, report
        self.people = People(settings.url("gitlab"), settings.operator_token)
        self.user = ROOT
        self.project: Any = None
        self.remote = self._operator = Remote(settings.url("gitlab"), settings.operator_token)
        self._api = client(settings.url("gitlab"), settings.operator_token)
        self._scratch = stack.home / "platform.git"
        self._head = self._git("rev-parse", "HEAD", check=False)
        if not re.fullmatch("[0-9a-f]{40,64}", self._head):
            raise WindlassError(f"{path} has no commit yet: git add and git commit first")

    @property
    def name(self) -> str:
        """The path of its project."""
        return str(self.project.path_with_namespace)

    def publish(self, platform: Path) -> None:
        """Both repositories have their projects; the platform's files of this moment are on its main."""
        if self._git("status", "--porcelain"):
            self.report("uncommitted changes are left out: a pipeline runs for what is committed")
        self._let_replace(self._project(PLATFORM, visibility="public"))
        commit = publish.push_snapshot(self.remote, platform, self._scratch, PLATFORM)
        versions = publish.push_versions(self.remote, platform, PLATFORM)
        publish.push_own_version(self.remote, platform, self._scratch, PLATFORM, commit)
        also = f", and {versions} {'tag' if versions == 1 else 'tags'}" if versions else ""
        self.report(f"published {platform} as {PLATFORM} at {commit[:8]}{also}")
        self.project = self._project(f"models/{self.path.name}", visibility="private")

    def become(self, user: str) -> None:
        """From here on everything is done by `user`, who joins the project as a developer unless they have a role."""
        token = self.people.token(user)
        if self.people.join(user, self.project):
            self.report(f"{user} joins {self.name} as a developer")
        if not self._has_main():
            publish.push_empty_main(self._operator, self._scratch, self.name)
        self.user, self.remote = user, Remote(self.remote.url, token, user)
        self.project = client(self.remote.url, token).projects.get(self.project.id)

    def happen(self, event: str, tag: str | None) -> tuple[str, Any]:
        """The branch or tag that the pipeline runs for, after the event has happened, and the merge request if any."""
        if event == TAG:
            return self._tag(tag), None
        if event == MERGE_REQUEST:
            request = self._open(self._branch())
            self.report(f"merge request {request.reference}: {request.web_url}")
            return request.source_branch, request
        if event == SCHEDULE:
            self._need_main()
            return "main", None
        return "main", self._main()

    def finish(self, event: str) -> Any:
        """The merge request of the branch; before, it is closed, or its branch deleted, where the event says so."""
        branch = self._branch()
        wanted = {} if event == STOP else {"state": "opened"}
        found = self.project.mergerequests.list(source_branch=branch, **wanted, get_all=True)
        if not found:
            raise WindlassError(f"{branch} has no open merge request: rehearse --event merge-request first")
        request = self.project.mergerequests.get(found[0].iid)
        if event == CLOSE:
            request.state_event = "close"
            request.save()
            self.report(f"closed {request.reference}: {request.web_url}")
        elif event == DELETE:
            self.project.branches.delete(branch)
            self.report(f"deleted {branch}, which closes {request.reference}: {request.web_url}")
        return request

    def _let_replace(self, platform: Any) -> None:
        """Each snapshot of the platform is a first commit: it can only be pushed by force."""
        for branch in platform.protectedbranches.list(get_all=True):
            if not branch.allow_force_push:
                branch.allow_force_push = True
                branch.save()

    def _project(self, path: str, visibility: str) -> Any:
        import gitlab

        try:
            return self._api.projects.get(path)
        except gitlab.GitlabGetError as missing:
            if missing.response_code != 404:
                raise
        group, name = path.split("/")
        told = {"name": name, "namespace_id": group_at(self._api, group), "visibility": visibility}
        return self._api.projects.create(told)

    def _branch(self) -> str:
        name = self._git("rev-parse", "--abbrev-ref", "HEAD")
        return "rehearsal" if name in ("HEAD", "main", "master") else name

    def _open(self, branch: str) -> Any:
        """The open merge request of `branch`, which now is at the repository's HEAD."""
        if not self._has_main():
            publish.push_empty_main(self._operator, self._scratch, self.name)
        self._push(branch, force=True)
        for request in self.project.mergerequests.list(state="opened", source_branch=branch, get_all=True):
            return self.project.mergerequests.get(request.iid)
        title = self._git("log", "-1", "--format=%s")
        wanted = {"source_branch": branch, "target_branch": "main", "title": title or branch}
        return self.project.mergerequests.create(wanted)

    def _main(self) -> Any:
        """The merge request that was merged, or None when HEAD could simply be pushed to main."""
        branch = self._branch()
        waiting = self.project.mergerequests.list(state="opened", source_branch=branch, get_all=True)
        if not waiting:
            try:
                self._push("main")
                self.report("pushed HEAD to main")
                return None
            except Rejected:
                if self._on_main():
                    self.report("main has this commit already: its pipeline runs once more")
                    return None
        request = self._open(branch)
        request.merge(sha=self._head)
        self.report(f"merged {request.reference} into main: {request.web_url}")
        return request

    def _tag(self, name: str | None) -> str:
        self._need_main()
        name = name or next_version([tag.name for tag in self.project.tags.list(get_all=True)])
        self.project.tags.create({"tag_name": name, "ref": "main", "message": f"Release {name}"})
        self.report(f"tagged main as {name}")
        return name

    def _need_main(self) -> None:
        if not self._has_main():
            raise WindlassError("there is no main branch yet: rehearse with --event main first")

    def _has_main(self) -> bool:
        return any(branch.name == "main" for branch in self.project.branches.list(get_all=True))

    def _on_main(self) -> bool:
        import gitlab

        try:
            branches = self.project.commits.get(self._head).refs("branch", get_all=True)
        except gitlab.GitlabGetError:
            return False  # the project does not have this commit
        return any(branch["name"] == "main" for branch in branches)

    def _push(self, branch: str, force: bool = False) -> None:
        publish.push(self.remote, self.path, self.name, self._head, branch, force)

    def _git(self, *arguments: str, check: bool = True) -> str:
        return self.remote.git(self.path, *arguments, check=check)


def next_version(tags: list[str]) -> str:
    """The next patch version after the highest of `tags`; v0.1.0 is the first."""
    versions = [tuple(map(int, m.groups())) for tag in tags if (m := re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", tag))]
    if not versions:
        return "v0.1.0"
    major, minor, patch = max(versions)
    return f"v{major}.{minor}.{patch + 1}"
