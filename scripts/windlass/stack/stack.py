"""The stack as a whole: started, looked at and stopped from any process; everything it knows is in its home folder."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from windlass.spec.errors import ServiceError, TransientError, WindlassError

from . import airflow_service, gitlab_service, object_store, ports, processes
from .processes import Identity
from .service import Service, base_environment, last_lines
from .settings import ENVIRONMENTS, REGION, Credentials, Running, Settings, load, save, write_private

SERVICES = ("s3", "gitlab", *ENVIRONMENTS)
HEALTHY, STARTING, STOPPED = "healthy", "starting", "stopped"

TOLD_EVERY = 5.0
"""Seconds between two lines that say what is still awaited."""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Status:
    """One service as it is now; `detail` tells what a service that starts still waits for."""

    service: str
    url: str
    state: str
    pid: int | None
    detail: str = ""


class Stack:
    """The stack whose files are in `home`. `report` gets one line per step, `warn` what a person should not overlook.

    >>> stack = Stack(Path(".windlass/stack"))
    >>> stack.up()
    >>> stack.ci_variables("stage")["WINDLASS_AIRFLOW_URL"]
    """

    def __init__(
        self,
        home: Path,
        report: Report = lambda line: None,
        warn: Report = lambda line: None,
        bundle: Callable[[str], airflow_service.Bundle] = airflow_service.release_bundle,
        environments: tuple[str, ...] = ENVIRONMENTS,
    ) -> None:
        self.home = home.absolute()
        self.environments = environments
        self._report, self._warn, self._bundle = report, warn, bundle
        self._began = time.monotonic()

    def up(self, wait: bool = True) -> None:
        """Starts what does not run and waits until all is healthy; `wait=False` does not wait for the Airflows.

        When that does not succeed, what this call has started is stopped again.
        """
        self._began = time.monotonic()
        started: list[str] = []
        with self._locked() as settings:
            try:
                self._start(settings, started, wait)
            except BaseException:
                self._say(f"stopping what was started: {', '.join(started) or 'nothing'}")
                self._stop(settings, started)
                raise

    def down(self) -> list[str]:
        """The names of the services that were stopped; nothing of the stack runs afterwards, its data stay."""
        self._began = time.monotonic()
        if load(self.home) is None and not processes.lost(self.home, []):
            return []
        with self._locked() as settings:
            names = [name for name, running in settings.processes.items() if processes.members(_identity(running))]
            self._stop(settings, list(settings.processes))
            return names + self._stop_lost(settings)

    def status(self) -> list[Status]:
        """Every service of the stack as it is now."""
        settings = load(self.home)
        if settings is None or not settings.users:
            return [Status(name, "", STOPPED, None) for name in ("s3", "gitlab", *self.environments)]
        return [self._status(settings, service) for service in self._services(settings)]

    def credentials(self, user: str) -> Credentials:
        """The S3 key of `operator`, `deliver-<env>` or `airflow-<env>`."""
        users = self.settings().users
        if user not in users:
            raise WindlassError(f"the stack has no S3 user {user!r}; it has {', '.join(sorted(users))}")
        return users[user]

    def url(self, service: str) -> str:
        """The address of `s3`, `gitlab` or an environment's Airflow."""
        return self.settings().url(service)

    def airflow_login(self, environment: str) -> dict[str, str]:
        """Address and log-in of an environment's Airflow, under the names that environments/*.yml use."""
        settings = self.settings()
        return {
            "WINDLASS_AIRFLOW_URL": settings.url(environment),
            "WINDLASS_AIRFLOW_USERNAME": "admin",
            "WINDLASS_AIRFLOW_PASSWORD": settings.airflow[environment].password,
        }

    def s3_variables(self, user: str) -> dict[str, str]:
        """What boto3 needs to be `user` on the stack's S3."""
        credentials = self.credentials(user)
        return {
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_ENDPOINT_URL": self.url("s3"),
            "AWS_DEFAULT_REGION": REGION,
        }

    def ci_variables(self, environment: str) -> dict[str, str]:
        """The CI/CD variables with the scope of `environment`: its delivery key and its Airflow."""
        return self.s3_variables(f"deliver-{environment}") | self.airflow_login(environment)

    def operator_variables(self, environment: str) -> dict[str, str]:
        """What the person at the terminal needs to use windlass on the stack."""
        gitlab = {"WINDLASS_GITLAB_URL": self.url("gitlab"), "WINDLASS_GITLAB_TOKEN": self.settings().operator_token}
        return self.s3_variables("operator") | self.airflow_login(environment) | gitlab

    def settings(self) -> Settings:
        """The stack's ports and secrets; refused where there is no stack."""
        settings = load(self.home)
        if settings is None or not settings.users:
            raise WindlassError(f"there is no stack in {self.home}: start one with `windlass stack up`")
        return settings

    # -- how it is done

    def _start(self, settings: Settings, started: list[str], wait: bool) -> None:
        for stopped in self._stop_lost(settings):
            self._say(f"stopped {stopped}")
        self._choose_ports(settings)
        first = [object_store.service(self.home, settings), gitlab_service.service(self.home, settings)]
        for service in first:
            self._ensure(settings, service, started)
        self._wait(settings, first)
        settings.users = object_store.provision(settings)
        save(self.home, settings)
        self._say("s3: buckets, users and policies are in place")
        airflows = self._services(settings)[2:]
        for service in airflows:
            self._ensure(settings, service, started)
        if wait:
            self._wait(settings, airflows)

    def _services(self, settings: Settings) -> list[Service]:
        return [
            object_store.service(self.home, settings),
            gitlab_service.service(self.home, settings),
            *(airflow_service.service(self.home, settings, e, self._bundle) for e in self.environments),
        ]

    def _choose_ports(self, settings: Settings) -> None:
        for name in SERVICES:
            running = settings.processes.get(name)
            known = settings.ports.get(name)
            if known is not None and running is not None and processes.is_alive(_identity(running)):
                continue
            if running is not None:  # it has died: what it left behind would keep the port
                self._stop(settings, [name])
            if known is None or not ports.is_free(known):
                settings.ports[name] = ports.choose(set(settings.ports.values()))
            if known not in (None, settings.ports[name]):
                self._warn(
                    f"port {known} of {name} is taken by another program: {name} moves to {settings.ports[name]}"
                )
        save(self.home, settings)

    def _ensure(self, settings: Settings, service: Service, started: list[str]) -> None:
        """Starts `service` unless it runs with the same settings already."""
        running = settings.processes.get(service.name)
        if running is not None and processes.is_alive(_identity(running)):
            if running.fingerprint == service.fingerprint:
                return
            self._say(f"{service.name}: restarting with changed settings")
        if running is not None:
            self._stop(settings, [service.name])
        service.folder.mkdir(parents=True, exist_ok=True)
        for path, text in service.files.items():
            write_private(path, text)
        started.append(service.name)
        identity = processes.start(
            service.command, base_environment() | service.environment, service.folder, service.log
        )
        settings.processes[service.name] = Running(
            pid=identity.pid, started=identity.started, boot=identity.boot, fingerprint=service.fingerprint
        )
        save(self.home, settings)
        self._say(f"{service.name}: starting on {service.url}")

    def _wait(self, settings: Settings, services: list[Service]) -> None:
        """Returns when all are healthy; one that dies or dawdles is an error."""
        waiting = {service.name: service for service in services}
        began = told = time.monotonic()
        while waiting:
            seen = {}
            for name, service in list(waiting.items()):
                ailing = service.ailing()
                if not processes.is_alive(_identity(settings.processes[name])):
                    raise ServiceError(f"{name} ended while it started, see {service.log}:\n{last_lines(service.log)}")
                if ailing is None:
                    del waiting[name]
                    self._say(f"{name}: healthy on {service.url}")
                elif time.monotonic() - began > service.patience:
                    raise TransientError(f"{name} {ailing} after {service.patience:.0f} s, see {service.log.parent}")
                else:
                    seen[name] = ailing
            if seen and time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                self._say("; ".join(f"{name} {ailing}" for name, ailing in seen.items()))
            time.sleep(0.3 if waiting else 0)

    def _stop(self, settings: Settings, names: list[str]) -> None:
        found = {name: _identity(settings.processes[name]) for name in names if name in settings.processes}
        processes.stop(found.values())
        for name in found:
            del settings.processes[name]
        save(self.home, settings)

    def _stop_lost(self, settings: Settings) -> list[str]:
        """What was stopped of an earlier stack in this home whose record is gone."""
        lost = processes.lost(self.home, map(_identity, settings.processes.values()))
        processes.stop(lost)
        return [f"process {identity.pid}, of which there was no record" for identity in lost]

    def _status(self, settings: Settings, service: Service) -> Status:
        running = settings.processes.get(service.name)
        if running is None or not processes.is_alive(_identity(running)):
            return Status(service.name, service.url, STOPPED, None)
        ailing = service.ailing()
        return Status(service.name, service.url, STARTING if ailing else HEALTHY, running.pid, ailing or "")

    @contextmanager
    def _locked(self) -> Iterator[Settings]:
        """The settings, while no other command changes the same stack."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        (self.home / ".gitignore").write_text("*\n")
        with (self.home / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say("waiting for another command that works on this stack")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield load(self.home) or Settings()

    def _say(self, line: str) -> None:
        self._report(f"{time.monotonic() - self._began:6.1f} s  {line}")


def _identity(running: Running) -> Identity:
    return Identity(running.pid, running.started, running.boot)
