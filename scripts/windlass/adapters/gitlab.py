"""GitLab's API as far as a delivery needs it: the merge request behind a commit, and releases of tags."""

import os
from collections.abc import Mapping
from typing import Any

import gitlab
import requests
from gitlab.exceptions import GitlabAuthenticationError, GitlabError

from windlass.spec.errors import ServiceError, TransientError

_TIMEOUT = 10.0


class GitlabProject:
    """One project; calls raise TransientError when GitLab does not answer and ServiceError when it refuses."""

    def __init__(self, client: gitlab.Gitlab, project: str) -> None:
        self._project = client.projects.get(project, lazy=True)
        self._where = f"GitLab project {project}"

    def merge_request(self, commit: str) -> dict[str, Any] | None:
        """The merge request that brought the commit: iid, title, author, url, approved_by (None: not readable)."""
        found = self._ask(
            "the merge requests of a commit", lambda: self._project.commits.get(commit, lazy=True).merge_requests()
        )
        merged = [one for one in found if one.get("state") == "merged"] or list(found)
        if not merged:
            return None
        one = merged[0]
        return {
            "iid": one["iid"],
            "title": one["title"],
            "author": (one.get("author") or {}).get("username"),
            "url": one.get("web_url"),
            "approved_by": self._approved_by(one["iid"]),
        }

    def create_release(self, tag: str, notes: str) -> bool:
        """Makes the GitLab release of a tag; False when there is one already."""
        try:
            self._project.releases.create({"tag_name": tag, "name": tag, "description": notes})
        except (GitlabError, requests.RequestException) as error:
            if getattr(error, "response_code", None) == 409:
                return False
            raise self._refused("a release", error) from error
        return True

    def _approved_by(self, iid: int) -> list[str] | None:
        """Who approved; None where this token may not read it (a job token may not)."""
        try:
            approvals = self._project.mergerequests.get(iid, lazy=True).approvals.get()
        except (GitlabError, requests.RequestException):
            return None
        return sorted(entry["user"]["username"] for entry in approvals.approved_by)

    def _ask(self, what: str, question: Any) -> Any:
        try:
            return question()
        except (GitlabError, requests.RequestException) as error:
            raise self._refused(what, error) from error

    def _refused(self, what: str, error: Exception) -> Exception:
        code = getattr(error, "response_code", None)
        if isinstance(error, requests.RequestException) or (isinstance(code, int) and code >= 500):
            return TransientError(f"{self._where} does not answer for {what}; try again in a moment")
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
