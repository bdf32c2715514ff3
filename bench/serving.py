"""1,000 DAGs of which one changes: from the swap to Airflow's API, and what Airflow spends when nothing changes.

Each bundle gets an Airflow of its own, one after the other on the same machine: `windlass stack`'s instance (API
server, scheduler, DAG processor, SQLite), of which only the bundle and the DAG processor's two intervals differ.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import requests

from bench.landscape import BUCKET, Landscape
from bench.releases import deliver, project_files
from bench.report import figure, table, write_part
from windlass.delivery.place import Place
from windlass.stack import airflow_service, ports, processes
from windlass.stack.service import base_environment
from windlass.stack.settings import Credentials, Settings
from windlass.stack.settings import write_private as write

DAGS, SIZE, REST, CHANGED = 1_000, 1_000, 60.0, "dag_00000"
SECONDS_UNTIL_PARSED, SECONDS_UNTIL_SEEN = 900.0, 900.0
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Setting:
    """One way to serve the DAGs: seconds between refreshes, and between two parses of a file that did not change."""

    kind: str
    how: str
    refresh: int | None
    parse: int | None
    changes: int

    @property
    def bundle(self) -> dict[str, Any]:
        """The entry of `dag_bundle_config_list`; without `refresh` Airflow's default holds."""
        refresh = {"refresh_interval": self.refresh} if self.refresh else {}
        if self.kind == "ReleaseBundle":
            classpath, where = "windlass.airflow.bundle.ReleaseBundle", {"bucket": BUCKET, "prefix": "serving"}
        else:
            classpath = "airflow.providers.amazon.aws.bundles.s3.S3DagBundle"
            where = {"bucket_name": BUCKET, "prefix": "serving-plain", "aws_conn_id": None}
        return {"name": "windlass", "classpath": classpath, "kwargs": {**where, **refresh}}


SETTINGS = (
    Setting("ReleaseBundle", "as `windlass env bundles` prints it", 5, 3600, 10),
    Setting("S3DagBundle", "its and Airflow's defaults", None, None, 3),
    Setting("S3DagBundle", "equal refresh interval", 5, None, 5),
    Setting("S3DagBundle", "both intervals equal", 5, 3600, 5),
)


def measure(land: Landscape, settings: tuple[Setting, ...] = SETTINGS) -> None:
    """Measures and writes the part of the page."""
    rows = []
    for setting in settings:
        sys.stderr.write(f"  {setting.kind}, {setting.how}\n")
        deployed = Deployed(land, setting.kind)
        deployed.deploy("begin")
        with _airflow(land, setting) as instance:
            instance.wait_until(lambda instance=instance: instance.count() == DAGS, SECONDS_UNTIL_PARSED)
            first = instance.spent()["dag-processor"]
            seen = _changes(instance, deployed, setting.changes)
            time.sleep(10)
            before = instance.spent()
            time.sleep(REST)
            after = instance.spent()
        processor = after["dag-processor"] - before["dag-processor"]
        whole = sum(after.values()) - sum(before.values())
        rows.append((setting.kind, setting.how, figure(seen), f"{processor:.1f} s", f"{whole:.1f} s", f"{first:.0f} s"))
    head = ("bundle", "settings", "from the swap to the API, median (range)", "CPU at rest in a minute: DAG processor")
    amazon = version("apache-airflow-providers-amazon")
    text = f"""{DAGS:,} DAGs of {SIZE:,} bytes in one release, of which one changes; no DAG runs. S3DagBundle is
that of apache-airflow-providers-amazon {amazon}. By default a bundle is refreshed every 300 s and every file parsed
every 30 s; `windlass env bundles` prints 5 s and 3,600 s. A change comes at a random moment between two refreshes, and
is seen when `GET /api/v2/dags/{CHANGED}` shows the new tag. CPU counts all processes of that component and their
children. `min_serialized_dag_update_interval` is 0 in all of them, which the defaults (30 s) are not.

{table((*head, "all of Airflow", "first parse of all"), rows)}"""
    write_part("serving", text)


def _changes(instance: "Instance", deployed: "Deployed", times: int) -> list[float]:
    """Seconds from each swap until the API shows it, each begun at a random moment."""
    moments, found = random.Random(7), []  # noqa: S311 - moments, not secrets
    for number in range(times):
        time.sleep(moments.uniform(5, 12))
        tag = f"change{number}"
        swapped = deployed.deploy(tag)
        instance.wait_until(lambda tag=tag: instance.tag() == tag, SECONDS_UNTIL_SEEN)
        found.append(time.monotonic() - swapped)
        sys.stderr.write(f"    seen after {found[-1]:.1f} s\n")
    return found


class Deployed:
    """The DAGs in S3 in the form that a bundle wants."""

    def __init__(self, land: Landscape, kind: str) -> None:
        from windlass.adapters.s3 import open_bucket

        self._store = open_bucket(BUCKET, land.server)
        self._kind = kind
        self._plain: dict[str, bytes] = {}
        self._number = 0

    def deploy(self, tag: str) -> float:
        """Puts the DAGs there, of which the first has `tag`; the moment at which that is done."""
        files = project_files(DAGS, 0, SIZE, tag)
        self._number += 1
        if self._kind == "ReleaseBundle":
            deliver(Place("serving", "serving", self._store, self._store), BUCKET, files, f"{self._number:040}")
        else:
            for path, content in files.items():
                if self._plain.get(path) != content:
                    self._store.put(f"serving-plain/bench/{path}", content)
            self._plain = files
        return time.monotonic()


@dataclass(frozen=True)
class Instance:
    """One Airflow that runs: its address, a token and the process that leads it."""

    url: str
    token: str
    leader: processes.Identity

    def ask(self, path: str) -> dict[str, Any]:
        """What the API answers; empty when it has no such thing yet."""
        answer = requests.get(
            f"{self.url}/api/v2/{path}", headers={"Authorization": f"Bearer {self.token}"}, timeout=60
        )
        found: dict[str, Any] = answer.json() if answer.ok else {}
        return found

    def count(self) -> int:
        """How many DAGs there are."""
        return int(self.ask("dags?limit=1").get("total_entries", 0))

    def tag(self) -> str:
        """The tag of the DAG that changes."""
        tags = self.ask(f"dags/{CHANGED}").get("tags", [])
        return str(tags[0]["name"]) if tags else ""

    def wait_until(self, holds: Any, limit: float) -> None:
        """Looks twice a second until `holds`."""
        deadline = time.monotonic() + limit
        while not holds():
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.url} does not show within {limit:.0f} s what was deployed")
            time.sleep(0.5)

    def spent(self) -> dict[str, float]:
        """CPU seconds by component, of its processes and of their children that have ended."""
        table = {pid: _stat(pid) for pid in processes.members(self.leader)}
        spent: dict[str, float] = {}
        for pid, stat in table.items():
            if stat is None:
                continue
            top = pid
            while (above := table.get(top)) and above[0] != self.leader.pid and above[0] in table:
                top = above[0]
            name = _component(top) if top != self.leader.pid else "leader"
            spent[name] = spent.get(name, 0.0) + stat[1]
        return spent


def _stat(pid: int) -> tuple[int, float] | None:
    """The parent, and CPU seconds with those of children that were waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(int(field) for field in fields[11:15]) / TICK


def _component(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return "gone"
    return next((name for name in airflow_service.COMPONENTS if name in words), "other")


@contextmanager
def _airflow(land: Landscape, setting: Setting) -> Iterator[Instance]:
    """A fresh instance that is healthy, until the end of the block."""
    home = land.scratch / f"{setting.kind}-{setting.refresh}-{setting.parse}"
    keys = Credentials(access_key_id="test", secret_access_key="test")  # noqa: S106 - the bench's server asks for none
    taken = {"s3": int(land.server.rpartition(":")[2])}
    settings = Settings(ports=taken | {"dev": ports.choose(set(taken.values()))}, users={"airflow-dev": keys})
    service = airflow_service.service(home, settings, "dev", lambda _: setting.bundle)
    service = replace(service, environment={**base_environment(), **service.environment, **_intervals(setting)})
    for path, text in service.files.items():
        write(path, text)
    leader = processes.start(service.command, service.environment, service.folder, service.log)
    try:
        deadline = time.monotonic() + service.patience
        while problem := service.ailing():
            if time.monotonic() > deadline:
                raise SystemExit(f"Airflow does not start: {problem}; see {service.log}")
            time.sleep(0.5)
        secret = settings.airflow["dev"].password
        login = {"username": "admin", "password": secret}
        token = requests.post(f"{service.url}/auth/token", json=login, timeout=60).json()["access_token"]
        yield Instance(service.url, token, leader)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        processes.stop([leader])


def _intervals(setting: Setting) -> dict[str, str]:
    """The DAG processor's intervals, Airflow's defaults where the setting names none."""
    defaults = {"MIN_FILE_PROCESS_INTERVAL": "30", "BUNDLE_REFRESH_CHECK_INTERVAL": "5", "PARSING_PROCESSES": "2"}
    if setting.parse:
        defaults["MIN_FILE_PROCESS_INTERVAL"] = str(setting.parse)
    return {f"AIRFLOW__DAG_PROCESSOR__{name}": value for name, value in defaults.items()}
