"""A job as it runs in containers: which objects are fetched where, what is run, and which objects it leaves."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from .arrival import check_pieces
from .container_scripts import SHARED, StoredFile, keep_script, packed, stage_script
from .errors import RuntimeStop
from .output_checks import check_kept
from .process import GRACE, Limits, size_in_bytes
from .script import Script
from .settings import Settings
from .storage import Storage
from .transfer import AT_ONCE, model_objects, reference, references, transfer_folder
from .variables import run_variables


@dataclass(frozen=True)
class ContainerJob:
    """The commands of the containers that bring the files and keep them; an empty flavor sets no limits."""

    image: str
    flavor: Mapping[str, Any]
    stage: list[str]
    keep: list[str]


def container_job(
    task: Any, context: Any, settings: Settings, storage: Storage, wait: timedelta | None = None
) -> ContainerJob:
    """What the containers of `task`, a JobOperator, run; its inputs are looked up and its script is rendered now."""
    files: list[StoredFile] = []
    values: dict[str, object] = dict(task.parameters)
    for port, value in task.inputs.items():
        if not isinstance(value, str):
            _check_arrived(storage, settings, port, references(port, value))
        found = list(_objects(storage, settings, port, value))
        files += found
        single = isinstance(value, Mapping) or value is None
        values[port] = f"{SHARED}/{found[0].path}" if single else f"{SHARED}/inputs/{port}"
    values.update({port: f"{SHARED}/outputs/{port}/{name}" for port, name in task.outputs.items()})
    script = Script(task.execution_script, values)
    folders = [f"inputs/{port}" for port in task.inputs] + [f"outputs/{port}" for port in task.outputs]
    stage = stage_script(
        files,
        folders,
        script.filled(task.rendered(script, context)),
        run_variables(settings, context["ti"]),
        task.execution_time,
        GRACE,
        disk=limits_of(task, settings).disk,
        watched=wait is not None,
    )
    keys = output_keys(task, context, settings)
    kept = {port: (f"outputs/{port}/{name}", settings.data, keys[port]) for port, name in task.outputs.items()}
    image = settings.images.get(task.docker_image)
    if image is None:
        raise RuntimeStop(f"image {task.docker_image!r} is none of the environment's; declare it in images")
    return ContainerJob(image, flavor_of(task, settings), packed(stage), packed(keep_script(kept, wait)))


def output_keys(task: Any, context: Any, settings: Settings) -> dict[str, str]:
    """Where in the data bucket this try of the task keeps its outputs, by port."""
    folder = transfer_folder(settings, context["ti"])
    return {port: f"{folder}/{name}" for port, name in task.outputs.items()}


def kept_references(task: Any, context: Any, settings: Settings, storage: Storage) -> dict[str, Any]:
    """The references of the outputs by port, as the store has them."""
    keys = output_keys(task, context, settings)
    found = {port: storage.reference(settings.data, key) for port, key in keys.items()}
    for port, value in found.items():
        task.log.info("kept output %s: s3://%s/%s", port, settings.data, value["key"])
    with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
        check_kept(task, storage, settings.data, found, Path(folder))
    return found


def stage_image(settings: Settings) -> str:
    """The image of the containers that move files."""
    image = settings.jobs.get("stage_image")
    if not image:
        raise RuntimeStop("jobs.stage_image is not set in this environment; build it from ci/images/stage and name it")
    return str(image)


def s3_variables(settings: Settings) -> dict[str, str]:
    """How s5cmd finds the store; no credentials."""
    endpoint = settings.jobs.get("endpoint") or settings.endpoint
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION") or "us-east-1"
    found = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    return {**found, "S3_ENDPOINT_URL": endpoint} if endpoint else found


def flavor_of(task: Any, settings: Settings) -> Mapping[str, Any]:
    """The size of machine that the task asks for; empty where it asks for none."""
    found: Mapping[str, Any] = settings.flavors.get(task.resource_flavor or "", {})
    return found


def limits_of(task: Any, settings: Settings) -> Limits:
    """What the containers of the task may take, for the sentence that says that it was too little."""
    flavor = flavor_of(task, settings)
    memory = size_in_bytes(flavor["memory"]) if flavor else 0
    disk = size_in_bytes(flavor["disk"]) if flavor.get("disk") else 0
    return Limits(memory=memory, disk=disk, flavor=task.resource_flavor or "" if flavor else "")


def _check_arrived(storage: Storage, settings: Settings, port: str, files: Iterable[Mapping[str, Any]]) -> None:
    """RuntimeStop when an input is plainly not what its name says: some bytes are read before a container starts."""

    def check(file: Mapping[str, Any]) -> None:
        read = partial(storage.piece, settings.data, str(file["key"]))
        check_pieces(port, str(file["name"]), int(file["size"]), read)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = [pool.submit(check, file) for file in files]
        try:
            for each in begun:
                each.result()
        finally:
            for each in begun:
                each.cancel()


def _objects(storage: Storage, settings: Settings, port: str, value: Any) -> Iterator[StoredFile]:
    folder = f"inputs/{port}"
    if isinstance(value, str):
        for name, (key, sha256) in model_objects(storage, settings, port, value).items():
            yield StoredFile(settings.models, key, f"{folder}/{name}", sha256)
    elif value is not None and not isinstance(value, Mapping):
        for number, each in enumerate(references(port, value)):
            path = f"{folder}/{number:06d}-{each['name']}"
            yield StoredFile(settings.data, str(each["key"]), path, str(each["sha256"]))
    else:
        file = reference(port, value)
        yield StoredFile(settings.data, str(file["key"]), f"{folder}/{file['name']}", str(file["sha256"]))
