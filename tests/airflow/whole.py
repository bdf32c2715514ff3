"""A whole Airflow, scheduler, triggerer and executor included, and what a test asks it over its API."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from .processor import PASSWORD, Home, bare_home

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
PATIENCE = 150.0


@dataclass
class Airflow:
    """The running Airflow."""

    home: Home
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to one request; a token is fetched before the first. HTTPError when it is worth another try."""
        if "Authorization" not in self.session.headers:
            account = {"username": "windlass", "password": PASSWORD}
            found = self.session.post(f"{self.home.url}/auth/token", json=account, timeout=30)
            found.raise_for_status()
            self.session.headers["Authorization"] = f"Bearer {found.json()['access_token']}"
        answer = self.session.request(method, f"{self.home.url}/api/v2/{path}", json=body, timeout=30)
        if answer.status_code >= 500:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text[:1000]}")
        assert answer.ok or answer.status_code == 409, f"{method} {path}: {answer.status_code} {answer.text[:1000]}"
        return answer.json()

    def tell(self, method: str, path: str, body: Any) -> None:
        """Asks until it is done; that it was done already is as good."""
        self.until(f"{method} {path}", lambda: self.ask(method, path, body))

    def runs(self, dag_id: str) -> dict[str, str]:
        """The state of each run of the DAG."""
        found = self.ask("GET", f"dags/{dag_id}/dagRuns?order_by=run_after")["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in found}

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The state of each task of the run; of a mapped one with its index."""
        found = self.ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100")["task_instances"]
        return {
            one["task_id"] + (f"[{one['map_index']}]" if one["map_index"] >= 0 else ""): one["state"] for one in found
        }

    def has_left(self, task_id: str, run_id: str) -> bool:
        """Whether the scheduler knows that the executor is done with the task, for good or for now."""
        said = (self.home.folder / "logs/scheduler.log").read_text(errors="replace")
        return f"task_id={task_id}, run_id={run_id}, " in said

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        """What `holds` says as soon as that is something."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if found := holds():
                    return found
            except requests.RequestException:  # not up yet, or two of its requests waited for each other on SQLite
                pass
            assert time.monotonic() < end, f"not yet: {what}\n{self.said()}"
            time.sleep(0.3)

    def said(self) -> str:
        """The ends of all logs."""
        files = [self.home.log, *sorted((self.home.folder / "logs").rglob("*.log"))]
        return "\n".join(f"== {file}\n{file.read_text(errors='replace')[-3000:]}" for file in files if file.exists())


@contextmanager
def whole_airflow(
    folder: Path, bundles: Sequence[Mapping[str, Any]], more: Mapping[str, str] | None = None
) -> Iterator[Airflow]:
    """Runs until the end of the block; `more` is added to its environment."""
    home = bare_home(folder, bundles)
    options = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__EXECUTION_API_SERVER_URL": f"{home.url}/execution/",
        # two requests of one API server can wait for each other on SQLite: that must end before their clients give up
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db?timeout=20",
        "API__HOST": "127.0.0.1",
        "API__PORT": home.url.rpartition(":")[2],
        "API__BASE_URL": home.url,
        "API__WORKERS": "1",
        "LOGGING__BASE_LOG_FOLDER": str(folder / "logs/tasks"),
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # for so long the executor may not notice that a task was put aside; who goes on earlier confuses it
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    }
    environment = {**home.environment, **{f"AIRFLOW__{name}": value for name, value in options.items()}, **(more or {})}
    command = [sys.executable, "-m", "windlass.stack.airflow_instance", str(folder), str(folder / "templates")]
    with home.log.open("wb") as log:
        process = subprocess.Popen(
            [*command, *COMPONENTS], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield Airflow(home)
    finally:
        process.terminate()  # it ends its parts, which have process groups of their own
        try:
            process.wait(20)
        finally:
            _kill(process.pid)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
