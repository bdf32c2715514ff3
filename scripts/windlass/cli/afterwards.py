"""What GitLab is told after a promotion or a rollback: each thing once, and what is missing by the command's next run.

A delivery that is done does not fail because GitLab is away or refuses: that is a warning.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windlass.cli import console, context
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from windlass.adapters.gitlab.connection import Connection
    from windlass.adapters.gitlab.release import Asset
    from windlass.delivery.place import Place
    from windlass.delivery.plan.plan import Plan
    from windlass.delivery.promotion.perform import Outcome
    from windlass.delivery.promotion.survey import Decide
    from windlass.delivery.release.archive import Release
    from windlass.spec.state import ProjectState, State

_PATIENCE = 60.0
"""Seconds: nothing more is told to a GitLab that took as long already."""

Told = tuple[str, Callable[[], str | None]]


@dataclass(frozen=True)
class Delivered:
    """What is live now. `changed` tells what came with it, also where an earlier run of the command brought it."""

    outcome: "Outcome"
    release: "Release"
    changed: Callable[[], "Plan"]
    is_last: bool
    is_verified: bool

    @property
    def name(self) -> str:
        """`v1.2.0 (3f9a1c22aabb)`."""
        from windlass.delivery.plan.lines import release_name

        return release_name(self.outcome.plan.after)


def tell_gitlab(delivered: Delivered) -> None:
    """Tells the GitLab project whose pipeline this is, or outside of one that of `origin`, where there is a token."""
    from windlass.adapters import git
    from windlass.adapters.gitlab.connection import connection_here

    connection = connection_here(git.origin_path(context.project_folder()))
    if connection:
        tell(connection, delivered, os.environ)


def tell_gitlab_back(state: "State", environment: str, projects: Sequence[str]) -> None:
    """Tells it which commit a rollback made live there again; of several projects the one that is its own."""
    from windlass.adapters import git
    from windlass.adapters.gitlab.connection import connection_here

    path = git.origin_path(context.project_folder())
    back = [state.projects[project] for project in projects if project in state.projects]
    if len(projects) > 1:
        url = os.environ.get("CI_PROJECT_URL") or f"{os.environ.get('WINDLASS_GITLAB_URL', '').rstrip('/')}/{path}"
        back = [live for live in back if live.url == url]
    connection = connection_here(path) if len(back) == 1 else None
    if connection:
        tell_back(connection, environment, back[0], os.environ)


def tell_back(connection: "Connection", environment: str, live: "ProjectState", variables: Mapping[str, str]) -> None:
    """Records the deployment, unless the last one that went well says so, or GitLab makes that very one itself."""
    if _job_records(variables) and variables.get("CI_COMMIT_SHA") == live.commit:
        return
    try:
        done = _deployment(connection, environment, live, variables)
    except WindlassError as error:
        console.warn(f"GitLab does not know that {environment} went back: {error}")
    else:
        if done:
            console.step(done)


def tell(
    connection: "Connection",
    delivered: Delivered,
    variables: Mapping[str, str],
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Makes what is missing: deployment, release, commit status, and the setting of the environment."""
    begin = monotonic()
    for missing, make in _things(connection, delivered, variables):
        if monotonic() - begin > _PATIENCE:
            console.warn("GitLab is slow, so it was not told all; run the same command again")
            return
        try:
            done = make()
        except WindlassError as error:
            console.warn(f"{missing} yet: {error}")
        else:
            if done:
                console.step(done)


def changed_by(decide: "Decide", outcome: "Outcome", place: "Place") -> "Plan":
    """What came with the release: the plan of this run, or, where it found nothing to do, that of the run before."""
    from windlass.delivery.history.states import load_named
    from windlass.delivery.release.find import became_live

    if outcome.changed:
        return outcome.plan
    try:
        became = became_live(place, outcome.state, outcome.plan.project)
        return decide(load_named(place.code, place.prefix, became.previous) if became.previous else None)
    except WindlassError:  # what was there before may be gone by now
        return outcome.plan


def _things(connection: "Connection", delivered: Delivered, variables: Mapping[str, str]) -> Iterator[Told]:
    plan = delivered.outcome.plan
    where = plan.environment
    if not _job_records(variables):
        yield f"GitLab has no deployment to {where}", lambda: _deployment(connection, where, plan.after, variables)
    if plan.after.tag and delivered.is_last:
        yield f"there is no GitLab release of {plan.after.tag}", lambda: _release(connection, delivered)
    if delivered.is_verified and not connection.is_job:
        yield f"the commit has no status windlass/{where}", lambda: _status(connection, delivered, variables)
    yield f"GitLab may stop the environment {where} with a branch", lambda: _setting(connection, where)


def _job_records(variables: Mapping[str, str]) -> bool:
    """Whether the job has an `environment:` for which GitLab makes the deployment by itself."""
    return bool(variables.get("CI_ENVIRONMENT_NAME")) and variables.get("CI_ENVIRONMENT_ACTION") in (None, "", "start")


def _deployment(
    connection: "Connection", environment: str, live: "ProjectState", variables: Mapping[str, str]
) -> str | None:
    from windlass.adapters.gitlab.deployment import record_deployment
    from windlass.delivery.plan.lines import release_name

    is_here = variables.get("CI_COMMIT_SHA") == live.commit
    branch = (variables.get("CI_COMMIT_BRANCH") if is_here else None) or variables.get("CI_DEFAULT_BRANCH") or "main"
    is_new = record_deployment(connection, environment, live.commit, live.tag or branch, is_tag=bool(live.tag))
    return f"told GitLab that {release_name(live)} is deployed to {environment}" if is_new else None


def _release(connection: "Connection", delivered: Delivered) -> str | None:
    from windlass.adapters.gitlab.release import LONGEST, keep_release
    from windlass.delivery.plan.lines import release_notes

    tag = delivered.outcome.plan.after.tag
    assert tag
    asset = _asset(connection, delivered)
    is_new = keep_release(connection, tag, release_notes(delivered.changed(), longest=LONGEST), asset)
    return f"made the GitLab release {tag}" if is_new else None


def _asset(connection: "Connection", delivered: Delivered) -> "Asset | None":
    """The release's manifest in the package registry; a project may have that switched off."""
    from windlass.adapters.gitlab.release import keep_file
    from windlass.delivery.release.archive import MANIFEST

    digest, content = delivered.release.digest, delivered.release.files[MANIFEST]
    filename = f"{delivered.outcome.plan.project}-{MANIFEST}"
    try:
        return keep_file(connection, "windlass", digest[:12], filename, content)
    except WindlassError as error:
        console.warn(f"the GitLab release has no {filename} yet: {error}")
        return None


def _status(connection: "Connection", delivered: Delivered, variables: Mapping[str, str]) -> str | None:
    from windlass.adapters.gitlab.status import keep_status

    plan = delivered.outcome.plan
    described: dict[str, str | int] = {
        "description": f"{delivered.name} was promoted to {plan.environment} and verified"
    }
    if url := variables.get("CI_JOB_URL"):
        described["target_url"] = url
    pipeline = variables.get("CI_PIPELINE_ID", "")
    if variables.get("CI_COMMIT_SHA") == plan.after.commit and pipeline.isdecimal():
        described["pipeline_id"] = int(pipeline)  # else GitLab makes a pipeline of its own for the status
    name = f"windlass/{plan.environment}"
    return f"gave the commit the status {name}" if keep_status(connection, plan.after.commit, name, described) else None


def _setting(connection: "Connection", environment: str) -> str | None:
    from windlass.adapters.gitlab.environment import keep_running

    done = keep_running(connection, environment)
    return f"GitLab stops {environment} no longer when a branch is merged or deleted" if done else None
