"""One GitLab project and how it is asked: patiently for a while, and so that nothing is ever made twice."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import gitlab
import requests
from gitlab.exceptions import GitlabAuthenticationError, GitlabError, GitlabParsingError

from windlass.spec.errors import ServiceError, TransientError

_TIMEOUT = 10.0
"""Seconds: a delivery does not wait longer for an answer."""
PAUSES = (0.2, 1.0, 4.0)
"""Seconds between the tries of one call."""
_LONGEST_PAUSE = 30.0
"""Seconds: a GitLab that asks for a longer one (`Retry-After`) is left alone; the job is tried again later."""
_NOT_UNDERSTOOD = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What reading an answer of another shape raises."""

Answer = TypeVar("Answer")
Sleep = Callable[[float], None]


class Connection:
    """A project of a GitLab, and with which token: `is_job` where it is a job's, which may do little.

    What is asked through it raises TransientError when GitLab does not answer and ServiceError when it refuses.
    """

    def __init__(self, client: gitlab.Gitlab, project: str, *, is_job: bool = False, sleep: Sleep = time.sleep) -> None:
        self.client = client
        self.project = client.projects.get(project, lazy=True)
        self.is_job = is_job
        self._where = f"GitLab project {project}"
        self._sleep = sleep
        self._asked_to_wait: float | None = None
        client.session.hooks["response"].append(self._listen)

    def ask(self, what: str, question: Callable[[], Answer]) -> Answer:
        """The answer; a question that failed in passing is asked again, so it must change nothing, or always the same.

        `question` passes `obey_rate_limit=False` to python-gitlab: the pauses are made here.
        """
        for pause in (*PAUSES, None):
            try:
                return question()
            except (GitlabError, requests.RequestException) as error:
                wait = self._pause(pause, error)
                if wait is None:
                    raise self.refused(what, error) from error
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def make(self, what: str, find: Callable[[], Answer | None], create: Callable[[], Answer]) -> tuple[Answer, bool]:
        """The thing that `find` finds, else the one that `create` makes; and whether it was made now.

        After an unclear failure it is looked for again before it is made again: there is never a second one.
        """

        def once() -> tuple[Answer, bool]:
            found = find()
            return (found, False) if found is not None else (create(), True)

        return self.ask(what, once)

    def get(self, what: str, path: str) -> dict[str, Any]:
        """The object at a path below /api/v4."""
        answer = self.ask(what, lambda: self.client.http_get(path, obey_rate_limit=False))
        if not isinstance(answer, dict):
            raise self.not_understood(what)
        return answer

    @contextmanager
    def understood(self, what: str) -> Iterator[None]:
        """Reads an answer: one of another shape comes from something that is not GitLab, or stands before it."""
        try:
            yield
        except _NOT_UNDERSTOOD as error:
            raise self.not_understood(what) from error

    def not_understood(self, what: str) -> ServiceError:
        """The sentence about an answer of another shape than GitLab's."""
        return ServiceError(f"{self._where}: the answer for {what} is not GitLab's; look what is at CI_SERVER_URL")

    def refused(self, what: str, error: Exception) -> Exception:
        """What to raise for a call that failed for good."""
        code = getattr(error, "response_code", None)
        if isinstance(error, GitlabParsingError):
            return self.not_understood(what)
        if isinstance(error, requests.RequestException) or (isinstance(code, int) and code >= 500):
            return TransientError(f"{self._where} does not answer for {what}; try again in a moment")
        if code == 429:
            return TransientError(f"{self._where} is asked too often to give {what}; try again in a moment")
        if isinstance(error, GitlabAuthenticationError) or code in (401, 403):
            return ServiceError(
                f"{self._where} does not give {what} to this token ({code}); allow it, or set WINDLASS_GITLAB_TOKEN"
            )
        return ServiceError(f"{self._where} refuses {what} ({code})")

    def _pause(self, usual: float | None, error: Exception) -> float | None:
        """Seconds until the next try; None when there is to be none."""
        code = getattr(error, "response_code", None)
        passing = isinstance(error, requests.RequestException) or code == 429 or (isinstance(code, int) and code >= 500)
        if usual is None or not passing or isinstance(error, GitlabParsingError):
            return None
        wanted, self._asked_to_wait = self._asked_to_wait, None
        if wanted is None:
            return usual
        return None if wanted > _LONGEST_PAUSE else max(usual, wanted)

    def _listen(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        """Notes how long GitLab wants to be left alone: python-gitlab's errors do not tell.

        ServiceError for an answer that leads to another server: the token would go there too.
        """
        if answer.is_redirect and not _stays(answer.url, urljoin(answer.url, answer.headers["Location"])):
            raise ServiceError(f"{self._where}: what is at CI_SERVER_URL leads to another server, which gets no token")
        said = answer.headers.get("Retry-After", "") if answer.status_code in (429, 503) else ""
        self._asked_to_wait = float(said) if said.isascii() and said.isdigit() else None


def _stays(url: str, target: str) -> bool:
    """Whether a redirection keeps to the server it comes from, with as much encryption."""
    before, after = urlsplit(url), urlsplit(target)
    if (before.scheme, before.netloc) == (after.scheme, after.netloc):
        return True
    return (before.scheme, after.scheme) == ("http", "https") and before.hostname == after.hostname


def connection_in_ci(variables: Mapping[str, str] | None = None, sleep: Sleep = time.sleep) -> Connection | None:
    """The project whose pipeline this is, or None outside of GitLab CI or without a token."""
    given = os.environ if variables is None else variables
    url = given.get("CI_SERVER_URL") or given.get("CI_API_V4_URL", "").removesuffix("/api/v4")
    project = given.get("CI_PROJECT_ID") or given.get("CI_PROJECT_PATH")
    private, job = given.get("WINDLASS_GITLAB_TOKEN"), given.get("CI_JOB_TOKEN")
    if not (url and project and (private or job)):
        return None
    return _connection(url, project, private, job, sleep)


def connection_here(
    path: str | None, variables: Mapping[str, str] | None = None, sleep: Sleep = time.sleep
) -> Connection | None:
    """The same outside of CI: the project at `path` of WINDLASS_GITLAB_URL, with WINDLASS_GITLAB_TOKEN."""
    given = os.environ if variables is None else variables
    if found := connection_in_ci(given, sleep):
        return found
    url, private = given.get("WINDLASS_GITLAB_URL"), given.get("WINDLASS_GITLAB_TOKEN")
    return _connection(url, path, private, None, sleep) if url and path and private else None


def connection_of_job(variables: Mapping[str, str] | None = None, sleep: Sleep = time.sleep) -> Connection | None:
    """The project of this job with the job's own token, whatever other token there is; None outside of a job."""
    given = os.environ if variables is None else variables
    return connection_in_ci({name: value for name, value in given.items() if name != "WINDLASS_GITLAB_TOKEN"}, sleep)


def _connection(url: str, project: str, private: str | None, job: str | None, sleep: Sleep) -> Connection:
    token = {"private_token": private} if private else {"job_token": job}
    client = gitlab.Gitlab(url, **token, timeout=_TIMEOUT, retry_transient_errors=False, keep_base_url=True)
    return Connection(client, project, is_job=not private, sleep=sleep)
