"""One Airflow over its REST API (/api/v2): what it reports about DAGs, and runs to begin and to watch."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import requests

from windlass.spec.airflow import DagReport, ImportProblem, Run, TaskRun
from windlass.spec.environment import Airflow
from windlass.spec.errors import DeliveryError, ServiceError, TransientError

_TIMEOUT = (5, 30)
_PAGE = 100


class AirflowApi:
    """The API with one account; the token is fetched when it is needed and renewed once when it has expired."""

    def __init__(self, settings: Airflow, environment: str) -> None:
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self._where = f"Airflow of {environment} ({_without_account(self._url)})"
        self._session = requests.Session()
        self._session.auth = lambda request: request  # else requests would put a .netrc's account over the token
        self._token: str | None = None

    def dags(self, bundle: str) -> list[DagReport]:
        """All DAGs of the bundle, stale ones too."""
        found = self._pages("dags", "dags", {"bundle_name": bundle, "exclude_stale": "false", "order_by": "dag_id"})
        return [
            DagReport(
                dag_id=dag["dag_id"],
                version=dag["bundle_version"],
                is_stale=dag["is_stale"],
                file=dag["relative_fileloc"] or "",
                token=dag["file_token"],
                is_paused=dag.get("is_paused", False),
                parsed=dag.get("last_parsed_time"),
            )
            for dag in found
        ]

    def serialized_at(self, bundle: str, version: str) -> set[str]:
        """The ids of the DAGs that have a `dag_version` of this bundle version."""
        wanted = {"bundle_name": bundle, "bundle_version": version}
        return {found["dag_id"] for found in self._pages("dags/~/dagVersions", "dag_versions", wanted)}

    def import_problems(self, bundle: str) -> list[ImportProblem]:
        """The import errors in files of the bundle."""
        found = self._pages("importErrors", "import_errors", {"bundle_name": bundle})
        return [ImportProblem(one["filename"], one["timestamp"], one["stack_trace"]) for one in found]

    def source(self, dag_id: str) -> str:
        """The text of the file that Airflow has the DAG from, as it found it when it parsed that last."""
        return self._call("GET", f"dagSources/{quote(dag_id, safe='')}").get("content") or ""

    def ask_to_parse(self, token: str) -> None:
        """Asks for the file to be parsed soon; the bundle is refreshed for it."""
        self._call("PUT", f"parseDagFile/{quote(token, safe='')}")

    def processor_problem(self) -> str | None:
        """Why nothing may be parsed at the moment, or None."""
        health = self._call("GET", "monitor/health")
        processor = health.get("dag_processor") or {}
        status, beat = processor.get("status"), processor.get("latest_dag_processor_heartbeat")
        if status in ("healthy", None):
            return None
        return f"its DAG processor is {status} (last heartbeat {beat or 'never'}): look whether it runs"

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, run_id: str | None = None) -> Run:
        """Begins a run."""
        body = {"logical_date": None, "conf": conf or {}, "dag_run_id": run_id}
        return _run(self._call("POST", f"dags/{dag_id}/dagRuns", body))

    def delete_dag(self, dag_id: str) -> None:
        """Deletes all that its database has of the DAG; ServiceError while tasks of it are running."""
        self._call("DELETE", f"dags/{quote(dag_id, safe='')}")

    def unpause(self, dag_id: str) -> None:
        """Lets the DAG's runs be scheduled."""
        self._call("PATCH", f"dags/{dag_id}", {"is_paused": False})

    def run(self, dag_id: str, run_id: str) -> Run:
        """The run as it stands now."""
        return _run(self._call("GET", f"dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"))

    def runs(self, dag_id: str) -> list[Run]:
        """The DAG's latest runs, newest first, at most a hundred."""
        found = self._call("GET", f"dags/{dag_id}/dagRuns?order_by=-run_after&limit={_PAGE}")
        return [_run(one) for one in found["dag_runs"]]

    def task_runs(self, dag_id: str, run_id: str) -> list[TaskRun]:
        """The tasks of a run."""
        found = self._pages(f"dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances", "task_instances", {})
        return [TaskRun(one["task_id"], one["state"], one["try_number"]) for one in found]

    def _pages(self, path: str, key: str, parameters: dict[str, str]) -> Iterator[dict[str, Any]]:
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        offset = 0
        while True:
            answer = self._call("GET", f"{path}?{query}&limit={_PAGE}&offset={offset}")
            yield from answer[key]
            offset += len(answer[key])
            if not answer[key] or offset >= answer["total_entries"]:
                return

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON that Airflow answers; the token is renewed once when Airflow no longer takes it."""
        fresh = self._token is None
        answer = self._send(method, f"/api/v2/{path}", body, self._token or self._login())
        if answer.status_code == 401 and not fresh:
            answer = self._send(method, f"/api/v2/{path}", body, self._login())
        if answer.status_code in (401, 403):
            raise ServiceError(f"{self._where} does not allow {method} {path.partition('?')[0]} to this account")
        if answer.status_code == 404:
            raise DeliveryError(f"{self._where} has no {path.partition('?')[0]}: {self._explain(answer)}")
        if answer.status_code >= 400:
            raise ServiceError(f"{self._where} refuses {method} {path.partition('?')[0]}: {self._explain(answer)}")
        return self._json(answer)

    def _explain(self, answer: requests.Response) -> str:
        """What Airflow says about a refusal, for a message."""
        return _detail(answer)

    def _login(self) -> str:
        account = {"username": self._settings.username, "password": self._settings.password.get_secret_value()}
        answer = self._send("POST", "/auth/token", account, None)
        if answer.status_code >= 400:
            raise ServiceError(
                f"{self._where} does not let in the account of airflow.username and airflow.password "
                f"({answer.status_code}); correct them in the CI/CD variables"
            )
        token = self._json(answer).get("access_token")
        if not isinstance(token, str):
            raise ServiceError(f"{self._where} answers a log-in without a token: is airflow.url right?")
        self._token = token
        return token

    def _send(self, method: str, path: str, body: dict[str, Any] | None, token: str | None) -> requests.Response:
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            answer = self._session.request(
                method, self._url + path, json=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            raise TransientError(f"{self._where} does not answer; try again when it runs") from error
        except requests.RequestException as error:
            raise ServiceError(f"{self._where} cannot be asked: {type(error).__name__}; correct airflow.url") from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise TransientError(f"{self._where} is in trouble ({answer.status_code}); try again in a moment")
        if 300 <= answer.status_code < 400:
            raise ServiceError(f"{self._where} sends us elsewhere ({answer.status_code}); correct airflow.url")
        return answer

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        if not answer.content:
            return {}
        try:
            content = answer.json()
        except requests.JSONDecodeError as error:
            raise ServiceError(f"{self._where} does not answer in JSON: is airflow.url right?") from error
        return content if isinstance(content, dict) else {}


def _run(answer: dict[str, Any]) -> Run:
    date = answer.get("logical_date") or answer.get("run_after") or ""
    return Run(
        dag_id=answer["dag_id"],
        run_id=answer["dag_run_id"],
        state=answer["state"],
        version=answer["bundle_version"],
        date=date[:10] or None,
        began=answer.get("start_date"),
    )


def _detail(answer: requests.Response) -> str:
    try:
        detail = answer.json().get("detail")
    except (requests.JSONDecodeError, AttributeError):
        detail = None
    return (detail if isinstance(detail, str) else json.dumps(detail) if detail else str(answer.status_code))[:300]


def _without_account(url: str) -> str:
    """The address as errors and verdicts tell it: what stands before an `@`, and after a `?`, may be a password."""
    scheme, separator, rest = url.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else scheme
