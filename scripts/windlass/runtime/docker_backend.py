"""Runs a job in a Docker container: a volume of its own, a container that fills it, the job, one that keeps its files.

Whatever happens to the worker, a process that outlives it removes the containers and the volume. What is left when the
whole machine goes down is removed when the next try of the task starts, or any job a day after its time was up.
"""

import inspect
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .container_job import (
    ContainerJob,
    container_job,
    kept_references,
    limits_of,
    s3_variables,
    stage_image,
)
from .container_scripts import JOB_COMMAND, SHARED
from .container_words import check_kept, check_staged, last_word
from .errors import RuntimeStop
from .process import GRACE, Limits, size_in_bytes
from .settings import Settings
from .storage import Storage

_OURS = "windlass.job"
_UNTIL = "windlass.until"
_OF = "windlass.of"
_DAY = 86400


def run_in_docker(task: Any, context: Any, settings: Settings) -> dict[str, Any]:
    """The references of the outputs by port, when the script of `task`, a JobOperator, has ended well."""
    storage = Storage(settings.endpoint)
    job = container_job(task, context, settings, storage)
    instance = context["ti"]
    run = uuid.uuid4().hex
    labels = {
        _OURS: run,
        _OF: "/".join(str(getattr(instance, name)) for name in ("dag_id", "run_id", "task_id", "map_index")),
        _UNTIL: str(int(time.time() + task.execution_time.total_seconds()) + _DAY),
    }
    daemon = settings.jobs.get("daemon") or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    place = _Place(task, settings, daemon, run, labels)
    with _watched(daemon, f"{_OURS}={run}"):
        return _run(place, context, job, storage)


@dataclass(frozen=True)
class _Place:
    task: Any
    settings: Settings
    daemon: str
    run: str
    labels: dict[str, str]

    def of_files(self, what: str, command: list[str], storage: Storage) -> Any:
        """The container that moves files; its credentials are fresh, for a script may run longer than old ones last."""
        return self.container(
            what,
            stage_image(self.settings),
            command,
            environment=s3_variables(self.settings),
            private_environment=storage.credentials(),
        )

    def container(self, what: str, image: str, command: list[str], **more: Any) -> Any:
        """An operator for one container of the job that shares the job's volume."""
        from docker.types import Mount

        from .docker_container import Container

        limits = {"security_opt": ["no-new-privileges"], "pids_limit": Limits().processes, **more.pop("limits", {})}
        return Container(
            task_id=f"{self.task.task_id}_{what}"[:200],
            image=image,
            entrypoint=command[:1],
            command=command[1:],
            container_name=f"windlass-{self.run}-{what}",
            docker_url=self.daemon,
            docker_conn_id=self.settings.jobs.get("connection"),
            network_mode=self.settings.jobs.get("network"),
            mounts=[Mount(target=SHARED, source=f"windlass-{self.run}", type="volume")],
            mount_tmp_dir=False,
            labels=self.labels,
            log_opts_max_size="10m",
            do_xcom_push=False,
            limits=limits,
            **more,
        )


def _run(place: _Place, context: Any, job: ContainerJob, storage: Storage) -> dict[str, Any]:
    task, settings = place.task, place.settings
    with _translated(place.daemon):
        stage = place.of_files("stage", job.stage, storage)
        _sweep(stage.cli, place.labels[_OF])
        stage.cli.create_volume(f"windlass-{place.run}", labels=place.labels)
        _start(stage, task, context)
        check_staged(last_word("\n".join(stage.tail)), settings.jobs.get("endpoint") or settings.endpoint or "AWS")
        script = place.container("job", job.image, list(JOB_COMMAND), **_limits(job.flavor))
        _start(script, task, context)
        keep = place.of_files("keep", job.keep, storage)
        _start(keep, task, context)
    seconds = check_kept(last_word("\n".join(keep.tail)), task, tuple(script.tail), limits_of(task, settings))
    task.log.info("the script ended well after %.1f seconds", seconds)
    return kept_references(task, context, settings, storage)


def _start(container: Any, task: Any, context: Any) -> None:
    """Runs a container to its end; RuntimeStop where it did not even start. How it ended is for others to judge."""
    from airflow.providers.docker.exceptions import DockerContainerFailedException
    from docker.errors import APIError

    task.stop = lambda: _stop(container)
    try:
        inspect.unwrap(type(container).execute)(container, context)
    except DockerContainerFailedException:
        return
    except APIError as error:
        what = str(error.explanation or error)[:300]
        raise RuntimeStop(f"the container of image {container.image!r} could not be started: {what}") from error
    finally:
        task.stop = None


@contextmanager
def _translated(daemon: str) -> Iterator[None]:
    from airflow.providers.common.compat.sdk import AirflowException
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, AirflowException, OSError) as error:
        raise RuntimeStop(f"the Docker daemon at {daemon} does not answer as it should: {str(error)[:300]}") from error


def _stop(container: Any) -> None:
    """Airflow calls `on_kill` at SIGTERM and then lets `execute` go on: only raising ends the task."""
    if container.container is not None:
        container.cli.stop(container.container["Id"], timeout=int(GRACE.total_seconds()) + 2)
    raise RuntimeStop("the task was told to stop while its script ran; the script was ended")


def _limits(flavor: Mapping[str, Any]) -> dict[str, Any]:
    """What a flavor means to a container; without one there are no limits."""
    if not flavor:
        return {}
    memory = size_in_bytes(flavor["memory"])
    cpus = float(flavor["cpus"])
    found: dict[str, Any] = {"cpus": cpus, "mem_limit": memory}
    found["limits"] = {"nano_cpus": int(cpus * 1e9), "memswap_limit": memory}
    if flavor.get("gpus"):
        from docker.types import DeviceRequest

        found["device_requests"] = [DeviceRequest(count=flavor["gpus"], capabilities=[["gpu"]])]
    return found


def _sweep(client: Any, of: str) -> None:
    """Removes what a machine that went down has left: of earlier tries of this task, and of jobs long over."""
    for container in client.containers(all=True, filters={"label": _OURS}):
        if _is_left(container.get("Labels") or {}, of):
            client.remove_container(container["Id"], force=True)
    for volume in (client.volumes(filters={"label": _OURS}) or {}).get("Volumes") or []:
        if _is_left(volume.get("Labels") or {}, of):
            client.remove_volume(volume["Name"], force=True)


def _is_left(labels: Mapping[str, str], of: str) -> bool:
    return labels.get(_OF) == of or int(labels.get(_UNTIL) or 0) < time.time()


@contextmanager
def _watched(daemon: str, label: str) -> Iterator[None]:
    """Has a process that outlives this one remove all that bears the label, at the end or when this one is killed."""
    warden = str(Path(__file__).with_name("docker_warden.py"))
    command = [sys.executable, "-I", "-S", warden, daemon, label]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdin is not None
        try:
            yield
            process.stdin.write(b"done")
        finally:
            process.stdin.close()
            process.wait()
