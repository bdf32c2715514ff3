"""Who runs this command, by GitLab's own word: variables like GITLAB_USER_LOGIN say what a job's YAML wants them to."""

import os
import time
from collections.abc import Mapping
from typing import Any

from windlass.adapters.gitlab.connection import Connection, Sleep, connection_here, connection_of_job
from windlass.spec.errors import ServiceError
from windlass.spec.evidence import Person


def person_here(variables: Mapping[str, str] | None = None, sleep: Sleep = time.sleep) -> Person | None:
    """The user of this job, by its job token; outside of jobs the owner of WINDLASS_GITLAB_TOKEN; None without both."""
    given = os.environ if variables is None else variables
    if job := connection_of_job(given, sleep):
        return _of_job(job)
    private = connection_here("-", given, sleep)
    return _of_token(private) if private else None


def _of_job(connection: Connection) -> Person:
    what = "the job that this is"
    with connection.understood(what):
        job = connection.get(what, "/job")
        server, pipeline = str(connection.client.url), job.get("pipeline") or {}
        address = str(job.get("web_url") or "")
        if address and not address.startswith(f"{server}/"):
            raise ServiceError(
                f"this job is at {address}, which is not below CI_SERVER_URL ({server}); let no job set that variable"
            )
        path = address.partition("/-/")[0].removeprefix(f"{server}/") or None
        person = Person(
            username=str(job["user"]["username"]),
            user=_number(job["user"]),
            server=server,
            project=int(pipeline["project_id"]) if pipeline.get("project_id") is not None else None,
            path=path,
            pipeline=int(pipeline["id"]) if pipeline.get("id") is not None else None,
            commit=str(job["commit"]["id"]) if job.get("commit") else None,
            ref=str(job["ref"]) if job.get("ref") else None,
            is_tag=job.get("tag") is True,
            job_url=address or None,
        )
    given = str(connection.project.get_id())
    if given.isdecimal() and person.project is not None and given != str(person.project):
        raise ServiceError(f"this job is of the GitLab project {person.project}, and CI_PROJECT_ID says {given}")
    return person


def _of_token(connection: Connection) -> Person:
    what = "the owner of the token"
    with connection.understood(what):
        user = connection.get(what, "/user")
        return Person(username=str(user["username"]), user=_number(user), server=str(connection.client.url))


def _number(user: dict[str, Any]) -> int | None:
    return int(user["id"]) if user.get("id") is not None else None
