"""The GitLab stand-in in this process, with people, projects and jobs, for tests that tell a story on it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gitlab
import uvicorn

from tests.gitlab_api.watch import Watch, Watched
from windlass.stack.gitlab.app import Standin, build
from windlass.stack.people import People, group_at
from windlass.stack.publish import Remote

DEVELOPER, MAINTAINER = 30, 40


def serve(standin: Standin) -> Callable[[], None]:
    """Serves `standin` in a thread; the result stops it, and fails where a request was none that GitLab publishes."""
    port = int(standin.url.rpartition(":")[2])
    watch = Watch()
    config = uvicorn.Config(
        Watched(build(standin), watch), host="127.0.0.1", port=port, loop="asyncio", log_level="critical"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the stand-in did not start"
        time.sleep(0.01)

    def stop() -> None:
        server.should_exit = True
        thread.join(timeout=10)
        watch.end()

    return stop


def new_project(api: gitlab.Gitlab, path: str, /, **settings: str) -> Any:
    """A new project at `path`, in a group that is made where there is none."""
    group, _, name = path.rpartition("/")
    return api.projects.create({"name": name, "namespace_id": group_at(api, group), **settings})


class Checkout:
    """A git repository of a person, to commit and push from."""

    def __init__(self, folder: Path, remote: Remote, name: str = "ada") -> None:
        self.folder, self.remote = folder, remote
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", name.capitalize())
        self.git("config", "user.email", f"{name}@windlass.local" if name != "ada" else "ada@example.org")

    def git(self, *arguments: str) -> str:
        return self.remote.git(self.folder, *arguments)

    def commit(self, message: str = "change", **files: str) -> str:
        """The new commit with these files."""
        for name, text in files.items():
            path = self.folder / name.replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, project: str, branch: str, *options: str) -> None:
        """Pushes HEAD to the branch, by force."""
        self.git("push", "--quiet", "--force", *options, self.remote.project(project), f"HEAD:refs/heads/{branch}")

    def push_as(self, remote: Remote, project: str, ref: str) -> None:
        """Pushes HEAD to the full reference as somebody else, without force."""
        remote.git(self.folder, "push", "--quiet", remote.project(project), f"HEAD:{ref}")


class Company(People):
    """The stand-in's people, their projects and jobs. `company.api("ann")` is GitLab as ann sees it."""

    def __init__(self, standin: Standin) -> None:
        super().__init__(standin.url, standin.operator_token)
        self.standin = standin
        self.root = self.api("root")

    def project(self, path: str, visibility: str = "private", **levels: int) -> Any:
        """A new project as the operator sees it, with these members."""
        project = new_project(self.root, path, visibility=visibility)
        for user, level in levels.items():
            self.join(user, project, level)
        return project

    def remote(self, name: str) -> Remote:
        """git as the user."""
        return Remote(self.standin.url, self.token(name), name)

    def checkout(self, name: str, folder: Path) -> Checkout:
        """A new repository of the user, whose pushes are theirs."""
        return Checkout(folder, self.remote(name), name)

    @contextmanager
    def job(self, project: Any, user: str, ref: str, sha: str, *, tag: bool = False) -> Iterator[str]:
        """The token of a job of `user` that runs as long as the `with`."""
        with self.pipeline(project, user, {"ref": ref, "sha": sha, "tag": tag}) as started:
            yield started.token

    @contextmanager
    def job_api(self, project: Any, user: str, ref: str, sha: str, *, tag: bool = False) -> Iterator[gitlab.Gitlab]:
        """The stand-in as a job of `user` sees it."""
        with self.job(project, user, ref, sha, tag=tag) as token:
            yield gitlab.Gitlab(self.standin.url, job_token=token)
