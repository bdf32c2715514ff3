"""Files between tasks: what a task leaves in the transfer prefix, and how the next one takes it."""

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .arrival import check_arrived
from .errors import RuntimeStop
from .settings import Settings
from .storage import Storage

AT_ONCE = 8
_MODEL = re.compile(r"model:([a-z][a-z0-9_]*)(?:@([0-9a-f]{16}))?")
_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def transfer_folder(settings: Settings, task_instance: Any) -> str:
    """The folder in the data bucket that only this try of this task (and map index) writes to."""
    dag, task = task_instance.dag_id, task_instance.task_id
    run = quote(task_instance.run_id, safe=":+@~")
    unit = f"{task_instance.try_number}-{max(task_instance.map_index, 0)}"
    return f"{settings.prefix}/transfer/{dag}/{run}/{task}/{unit}"


def check_names(outputs: Mapping[str, str]) -> None:
    """ValueError when outputs are no plain file names or share one: they would overwrite each other in S3."""
    for port, name in outputs.items():
        if not _FILENAME.fullmatch(name) or ".." in name:
            raise ValueError(f"output {port!r}: {name!r} is not a file name; take letters, digits, _, - and dots")
    if len(set(outputs.values())) < len(outputs):
        raise ValueError(f"two outputs have the same file name: {', '.join(sorted(outputs.values()))}")


def only_port(operator: str, kind: str, ports: Mapping[str, Any]) -> str:
    """The name of the one port; ValueError when there are none or several. `kind` is `input` or `output`."""
    if len(ports) != 1:
        listed = f": {', '.join(sorted(ports))}" if ports else ""
        raise ValueError(f"{operator} has exactly one {kind}, not {len(ports)}{listed}")
    return next(iter(ports))


def data_key(settings: Settings, key: str) -> str:
    """The whole key of what a task calls `key`: it is below the environment's prefix in the data bucket."""
    if any(part in ("", ".", "..") for part in key.split("/")) or not key.isprintable():
        raise RuntimeStop(f"key {key!r} must be relative to the environment's prefix, without '..'")
    return f"{settings.prefix}/{key}"


def reference(port: str, value: Any) -> Mapping[str, Any]:
    """`value` as the reference that an upstream task left for input `port`; RuntimeStop when it is none."""
    if isinstance(value, Mapping) and {"key", "sha256", "size", "name"} <= value.keys():
        if _FILENAME.fullmatch(str(value["name"])):
            return value
        raise RuntimeStop(f"input {port!r}: {value['name']!r} is not a file name")
    if value is None:
        raise RuntimeStop(f"input {port!r}: the task before has produced nothing; run it first")
    raise RuntimeStop(f"input {port!r}: {str(value)[:100]!r} is neither a file of another task nor a model")


def asked(value: Any) -> Any:
    """`value` with a list as a list: that of a mapped task asks Airflow for each item, and only the main thread may."""
    return value if value is None or isinstance(value, (str, Mapping)) or not isinstance(value, Iterable) else [*value]


def references(port: str, value: Any) -> list[Mapping[str, Any]]:
    """`value` as the list of references that an upstream task, or each run of a mapped one, left for input `port`."""
    if isinstance(value, Mapping) or value is None:
        return [reference(port, value)]
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise RuntimeStop(f"input {port!r}: {str(value)[:100]!r} is no list of files of another task")
    return [reference(port, item) for item in value]


def fetch_input(storage: Storage, settings: Settings, port: str, value: Any, folder: Path) -> Path:
    """The local file of an input, or the folder with a model's files or those of a list, numbered in its order."""
    if isinstance(value, str):
        return fetch_model(storage, settings, port, value, folder)
    if value is not None and not isinstance(value, Mapping):
        files = references(port, value)
        paths = [folder / f"{number:06d}-{each['name']}" for number, each in enumerate(files)]
        _fetch_all(storage, [_wanted(settings, file, path) for file, path in zip(files, paths, strict=True)])
        folder.mkdir(parents=True, exist_ok=True)
    else:
        file = reference(port, value)
        folder, paths = folder / str(file["name"]), [folder / str(file["name"])]
        storage.fetch(*_wanted(settings, file, folder))
    for path in paths:
        check_arrived(port, path)
    return folder


def fetch_model(storage: Storage, settings: Settings, port: str, pin: str, folder: Path) -> Path:
    """The folder that holds all files of the version that `pin` (`model:NAME@VERSION`) names, each digest checked."""
    objects = model_objects(storage, settings, port, pin)
    _fetch_all(storage, [(settings.models, key, folder / name, sha256) for name, (key, sha256) in objects.items()])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _wanted(settings: Settings, file: Mapping[str, Any], path: Path) -> tuple[str, str, Path, str]:
    return settings.data, str(file["key"]), path, str(file["sha256"])


def _fetch_all(storage: Storage, wanted: Iterable[tuple[str, str, Path, str]]) -> None:
    """Fetches several objects at once; bucket, key, path and SHA-256 of each. The first error is raised."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = [pool.submit(storage.fetch, *each) for each in wanted]
        try:
            for each in begun:
                each.result()
        finally:
            for each in begun:
                each.cancel()


def model_objects(storage: Storage, settings: Settings, port: str, pin: str) -> dict[str, tuple[str, str]]:
    """The key and the SHA-256 of each file of the version that `pin` names, by the files' names."""
    match = _MODEL.fullmatch(pin)
    if not match:
        raise RuntimeStop(f"input {port!r}: {pin!r} is no model; it must read 'model:NAME@VERSION'")
    name, version = match.groups()
    if version is None:
        raise RuntimeStop(f"input {port!r}: {pin!r} names no version; only a release pins it, so deliver one")
    root = f"{settings.prefix}/{name}/{version}"
    described = b"".join(storage.chunks(settings.models, f"{root}/model.json"))
    files = _model_files(described, f"s3://{settings.models}/{root}/model.json")
    return {filename: (f"{root}/{key}", sha256) for filename, (key, sha256) in files.items()}


def _model_files(described: bytes, where: str) -> dict[str, tuple[str, str]]:
    try:
        listed = json.loads(described)["files"]
        files = {str(name): (str(file["key"]), str(file["sha256"])) for name, file in listed.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RuntimeStop(f"{where} does not describe a version: {type(error).__name__} {error}") from error
    for name in files:
        if not _FILENAME.fullmatch(name):
            raise RuntimeStop(f"{where}: {name!r} is not a file name")
    return files
