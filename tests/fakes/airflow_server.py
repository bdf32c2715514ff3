"""The REST API of an Airflow that shows at once what is live in an environment, as far as windlass asks for it."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http_stub import Request
from windlass.delivery.history.states import load_current
from windlass.delivery.release.archive import read_archive
from windlass.spec.release import release_key
from windlass.spec.store import Store


@dataclass
class AirflowServer:
    """Hand `answer` to `http_stub`; the address of an environment's Airflow is `<url>/<prefix>`.

    `broken` holds commits whose files cannot be imported, `outcome` is how a run ends, and it writes `delivers`.
    Where it `keeps_rows`, a DAG that went is stale until it is deleted, which one that is `busy` cannot be.
    """

    store: Store
    broken: set[str] = field(default_factory=set)
    outcome: str = "success"
    delivers: str | None = None
    triggered: list[str] = field(default_factory=list)
    away: bool = False
    keeps_rows: bool = False
    rows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)

    def answer(self, request: Request) -> tuple[int, Any]:
        prefix, _, path = request.path.lstrip("/").partition("/")
        if self.away:
            return 503, {}
        if path == "auth/token":
            return 201, {"access_token": "token"}
        path = path.removeprefix("api/v2/").partition("?")[0]
        if path == "monitor/health":
            return 200, {"dag_processor": {"status": "healthy"}}
        if path == "dags":
            found = self._dags(prefix)
            return 200, {"dags": found, "total_entries": len(found)}
        if path == "dags/~/dagVersions":
            found = self._dags(prefix)
            return 200, {"dag_versions": found, "total_entries": len(found)}
        if path == "importErrors":
            found = self._errors(prefix)
            return 200, {"import_errors": found, "total_entries": len(found)}
        if request.method == "DELETE":
            return self._delete(prefix, path.removeprefix("dags/"))
        if path.startswith("parseDagFile"):
            return 200, {}
        if match := re.fullmatch(r"dags/(\w+)/dagRuns(?:/([^/]+))?(/taskInstances)?", path):
            return self._run(prefix, request, *match.groups())
        return 404, {"detail": path}

    def _run(
        self, prefix: str, request: Request, dag_id: str, run_id: str | None, tasks: str | None
    ) -> tuple[int, Any]:
        if request.method == "POST":
            run_id = request.body["dag_run_id"]
            self.triggered.append(f"{prefix} {dag_id} {run_id}")
            if self.delivers:
                self.store.put(f"{prefix}/delivered/{self.delivers}", b"x")
        elif f"{prefix} {dag_id} {run_id}" not in self.triggered:
            return 404, {"detail": "not found"}
        if tasks:
            task = {"task_id": "load.keep", "state": self.outcome, "try_number": 1}
            return 200, {"task_instances": [task], "total_entries": 1}
        state = load_current(self.store, prefix).state
        version = state.name if state else None
        dates = {"logical_date": None, "run_after": "2026-11-22T10:00:00Z", "start_date": "2026-11-22T10:00:01Z"}
        return 200, {"dag_id": dag_id, "dag_run_id": run_id, "state": self.outcome, "bundle_version": version, **dates}

    def _delete(self, prefix: str, dag_id: str) -> tuple[int, Any]:
        if dag_id in self.busy:
            return 409, {"detail": f"Task instances of dag with id: '{dag_id}' are still running"}
        return (204, {}) if self.rows.pop((prefix, dag_id), None) else (404, {"detail": "not found"})

    def _dags(self, prefix: str) -> list[dict[str, Any]]:
        alive = self._alive(prefix)
        if not self.keeps_rows:
            return alive
        self.rows |= {(prefix, dag["dag_id"]): {**dag, "is_stale": True} for dag in alive}
        ids = {dag["dag_id"] for dag in alive}
        return [*alive, *(row for (where, dag_id), row in self.rows.items() if where == prefix and dag_id not in ids)]

    def _alive(self, prefix: str) -> list[dict[str, Any]]:
        return [
            {
                "dag_id": dag_id,
                "bundle_version": version,
                "is_stale": False,
                "is_paused": False,
                "relative_fileloc": f"{project}/dags/{dag_id}.py",
                "file_token": f"{project}-{dag_id}",
            }
            for project, dag_id, version, commit in self._live(prefix)
            if commit not in self.broken
        ]

    def _errors(self, prefix: str) -> list[dict[str, Any]]:
        return [
            {"filename": f"{project}/dags/{dag_id}.py", "timestamp": version, "stack_trace": "KeyError: 'x'"}
            for project, dag_id, version, commit in self._live(prefix)
            if commit in self.broken
        ]

    def _live(self, prefix: str) -> list[tuple[str, str, str, str]]:
        state = load_current(self.store, prefix).state
        return [
            (project, dag_id, state.name, live.commit)
            for project, live in (state.projects.items() if state else ())
            if state
            for dag_id in read_archive(
                project, live.release, self.store.get(release_key(prefix, project, live.release)).content
            ).manifest.pipelines
        ]
