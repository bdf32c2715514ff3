"""GitLab's API as far as a delivery needs it: the merge request behind a commit, and releases of tags."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gitlab
import requests
from gitlab.exceptions import GitlabAuthenticationError, GitlabError, GitlabParsingError

from windlass.spec.errors import ServiceError, TransientError

_TIMEOUT = 10.0
"""Seconds: a delivery does not wait longer for a call, nor for a GitLab that asks for a pause."""
_NOT_UNDERSTOOD = (AttributeError, KeyError, TypeError, ValueError)
"""What reading an answer of another shape raises."""


class GitlabProject:
    """One project; calls raise TransientError when GitLab does not answer and ServiceError when it refuses."""

    def __init__(self, client: gitlab.Gitlab, project: str) -> None:
        self._project = client.projects.get(project, lazy=True)
        self._where = f"GitLab project {project}"

    def merge_request(self, commit: str) -> dict[str, Any] | None:
        """The merge request that brought the commit: iid, title, author, url, approved_by (None: not readable)."""
        what = "the merge requests of a commit"
        with self._understood(what):
            found = self._ask(
                what, lambda: self._project.commits.get(commit, lazy=True).merge_requests(obey_rate_limit=False)
            )
            merged = [one for one in found if one.get("state") == "merged"] or list(found)
            if not merged:
                return None
            one = merged[0]
            return {
                "iid": int(one["iid"]),
                "title": one["title"],
                "author": (one.get("author") or {}).get("username"),
                "url": one.get("web_url"),
                "approved_by": self._approved_by(int(one["iid"])),
            }

    def create_release(self, tag: str, notes: str) -> bool:
        """Makes the GitLab release of a tag; False when there is one already."""
        content = {"tag_name": tag, "name": tag, "description": notes}
        try:
            made = self._project.releases.create(content, obey_rate_limit=False)
        except (GitlabError, requests.RequestException) as error:
            if getattr(error, "response_code", None) == 409:
                return False
            raise self._refused("a release", error) from error
        if made.attributes.get("tag_name") != tag:
            raise self._not_understood("a release")
        return True

    def _approved_by(self, iid: int) -> list[str] | None:
        """Who approved; None where this token may not read it (a job token may not)."""
        try:
            approvals = self._project.mergerequests.get(iid, lazy=True).approvals.get(obey_rate_limit=False)
            return sorted(str(entry["user"]["username"]) for entry in approvals.approved_by)
        except (GitlabError, requests.RequestException, *_NOT_UNDERSTOOD):
            return None

    def _ask(self, what: str, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except (GitlabError, requests.RequestException) as error:
            raise self._refused(what, error) from error

    @contextmanager
    def _understood(self, what: str) -> Iterator[None]:
        """Reads an answer: one of another shape comes from something that is not GitLab, or stands before it."""
        try:
            yield
        except _NOT_UNDERSTOOD as error:
            raise self._not_understood(what) from error

    def _not_understood(self, what: str) -> ServiceError:
        return ServiceError(f"{self._where}: the answer for {what} is not GitLab's; look what is at CI_SERVER_URL")

    def _refused(self, what: str, error: Exception) -> Exception:
        code = getattr(error, "response_code", None)
        if isinstance(error, GitlabParsingError):
            return self._not_understood(what)
        if isinstance(error, requests.RequestException) or (isinstance(code, int) and code >= 500):
            return TransientError(f"{self._where} does not answer for {what}; try again in a moment")
        if code == 429:
            return TransientError(f"{self._where} is asked too often to give {what}; try again in a moment")
        if isinstance(error, GitlabAuthenticationError) or code in (401, 403):
            return ServiceError(
                f"{self._where} does not give {what} to this token ({code}); allow it, or set WINDLASS_GITLAB_TOKEN"
            )
        return ServiceError(f"{self._where} refuses {what} ({code})")


def project_in_ci(variables: Mapping[str, str] | None = None) -> GitlabProject | None:
    """The project whose pipeline this is, or None outside of GitLab CI or without a token."""
    given = os.environ if variables is None else variables
    url = given.get("CI_SERVER_URL") or given.get("CI_API_V4_URL", "").removesuffix("/api/v4")
    project = given.get("CI_PROJECT_ID") or given.get("CI_PROJECT_PATH")
    private, job = given.get("WINDLASS_GITLAB_TOKEN"), given.get("CI_JOB_TOKEN")
    if not (url and project and (private or job)):
        return None
    token = {"private_token": private} if private else {"job_token": job}
    client = gitlab.Gitlab(url, **token, timeout=_TIMEOUT, retry_transient_errors=False, keep_base_url=True)
    return GitlabProject(client, project)
