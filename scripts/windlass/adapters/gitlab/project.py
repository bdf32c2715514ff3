"""What a delivery needs to know of its project: the merge request behind a commit, and who approved it."""

import time
from collections.abc import Mapping
from typing import Any

import requests

from windlass.adapters.gitlab.connection import Connection, Sleep, connection_in_ci
from windlass.adapters.gitlab.evidence import Reviews
from windlass.spec.errors import WindlassError


class GitlabProject:
    """One project; calls raise TransientError when GitLab does not answer and ServiceError when it refuses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._project = connection.project

    def merge_request(self, commit: str) -> dict[str, Any] | None:
        """The merge request that brought the commit: iid, title, author, url, approved_by (None: not readable)."""
        what = "the merge requests of a commit"
        with self._connection.understood(what):
            found = self._connection.ask(
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

    def _approved_by(self, iid: int) -> list[str] | None:
        """Who approved, by GitLab's notes where a job token may read no more; None where nobody says it."""
        try:
            if self._connection.is_job:
                return self._noted(iid)
            approvals = self._connection.ask(
                "approvals",
                lambda: self._project.mergerequests.get(iid, lazy=True).approvals.get(obey_rate_limit=False),
            )
            return sorted(str(entry["user"]["username"]) for entry in approvals.approved_by)
        except (WindlassError, requests.RequestException, AttributeError, KeyError, TypeError, ValueError):
            return None

    def _noted(self, iid: int) -> list[str]:
        given: set[str] = set()
        for event in Reviews(self._connection).events(iid):
            if event.kind == "approval":
                given.add(event.actor)
            elif event.kind == "withdrawal":
                given.discard(event.actor)
        return sorted(given)


def project_in_ci(variables: Mapping[str, str] | None = None, sleep: Sleep = time.sleep) -> GitlabProject | None:
    """The project whose pipeline this is, or None outside of GitLab CI or without a token."""
    connection = connection_in_ci(variables, sleep)
    return GitlabProject(connection) if connection else None
