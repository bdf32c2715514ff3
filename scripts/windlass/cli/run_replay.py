"""Takes the inputs of a run on this machine from a run of an environment: its transfer folder and live models."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from windlass.cli import console, context
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from windlass.jobs.run_plan import Need, RunPlan
    from windlass.jobs.values import Value
    from windlass.runtime.storage import Storage
    from windlass.spec.environment import Environment
    from windlass.spec.pipeline import Pipeline
    from windlass.spec.store import Store

_UNIT = re.compile(r"([0-9]+)-([0-9]+)")


@dataclass(frozen=True)
class Transfer:
    """The transfer folder of one run, which ends with `/`."""

    bucket: str
    folder: str
    store: "Store"
    storage: "Storage"


def files_of_run(written: str, environment: "Environment | None", plan: "RunPlan", folder: Path) -> "dict[str, Value]":
    """What the run has for the needs of the plan that nothing was given for, fetched below `folder`, by reference."""
    from windlass.cli.reading import stops

    with stops():
        transfer = _transfer(written, environment, plan.pipeline.dag.name)
        keys = list(transfer.store.list(transfer.folder))
        if not keys:
            raise WindlassError(
                f"--from-run: there is nothing in s3://{transfer.bucket}/{transfer.folder}; "
                "is the run's id right, and are its files still there? They expire"
            )
        found: dict[str, Value] = {}
        for need in plan.missing:
            if need.model is None:
                found |= _fetched(need, plan.pipeline, transfer, keys, folder / "from-run")
            elif environment is not None and (path := _live_model(environment, need.model, folder)):
                found[need.reference] = path
        return found


def _transfer(written: str, environment: "Environment | None", dag: str) -> Transfer:
    from windlass.adapters.s3 import Bucket, open_client
    from windlass.runtime.storage import Storage

    if written.startswith("s3://"):
        bucket, _, path = written.removeprefix("s3://").partition("/")
        match = re.fullmatch(r"(.+/transfer/([^/]+)/[^/]+)(/.*)?", path)
        if not match:
            raise WindlassError(f"--from-run {written!r} must read s3://BUCKET/PREFIX/transfer/PIPELINE/RUN")
        endpoint = context.buckets(environment).endpoint if environment else None
        store: Store = Bucket(open_client(f"s3://{bucket}", endpoint), bucket)
        found = Transfer(bucket, f"{match[1]}/", store, Storage(endpoint)), match[2]
    else:
        parts = written.split(":", 2)
        if len(parts) != 3 or not all(parts) or environment is None:
            raise WindlassError(f"--from-run {written!r} must read ENV:PIPELINE:RUN_ID, or be the run's folder in S3")
        where, run = context.buckets(environment), quote(parts[2], safe=":+@~")
        path = f"{environment.prefix}/transfer/{parts[1]}/{run}/"
        found = Transfer(where.data, path, context.store(environment, "data"), Storage(where.endpoint)), parts[1]
    if found[1] != dag:
        raise WindlassError(f"--from-run: the run is one of pipeline {found[1]!r}, not of {dag!r}")
    return found[0]


def _fetched(
    need: "Need", pipeline: "Pipeline", transfer: Transfer, keys: Iterable[str], folder: Path
) -> "dict[str, Value]":
    """The file, or the list of files, that the run has for a need; nothing where it has none."""
    task, port = pipeline.task_ids[need.made_by], need.reference.rpartition(".")[2]
    step = f"{need.made_by}__merge_{port}" if task.split else need.made_by
    assert need.filename is not None
    is_cut = task.operator_type in ("split_csv", "split_file")
    wanted = newest(transfer.folder, step, _pattern(need.filename, is_cut=is_cut), keys)
    paths = []
    for number, key in enumerate(wanted):
        kept = transfer.storage.reference(transfer.bucket, key)
        path = folder / need.reference / str(number) / str(kept["name"])
        transfer.storage.fetch(transfer.bucket, key, path, str(kept["sha256"]))
        console.step(f"{need.reference}: s3://{transfer.bucket}/{key}")
        paths.append(path)
    if not paths:
        return {}
    return {need.reference: paths if is_cut or task.for_each else paths[0]}


def _pattern(filename: str, *, is_cut: bool) -> str:
    stem, dot, ending = filename.partition(".")
    return rf"{re.escape(stem)}-[0-9]+{re.escape(dot + ending)}" if is_cut else re.escape(filename)


def newest(folder: str, step: str, pattern: str, keys: Iterable[str]) -> list[str]:
    """The keys of files whose names match, of the last try of each run of a task that has any, in their order."""
    tries: dict[int, dict[int, list[str]]] = {}
    for key in keys:
        parts = key.removeprefix(folder).split("/")
        unit = _UNIT.fullmatch(parts[1]) if len(parts) == 3 and parts[0] == step else None
        if unit and re.fullmatch(pattern, parts[2]):
            tries.setdefault(int(unit[2]), {}).setdefault(int(unit[1]), []).append(key)
    return [key for _, found in sorted(tries.items()) for key in sorted(found[max(found)])]


def _live_model(environment: "Environment", name: str, folder: Path) -> Path | None:
    """The version that is live in the environment; None where there is none of that name."""
    from windlass.cli.run_models import fetch_version
    from windlass.delivery.history.states import load_current
    from windlass.training.kept import find_version

    state = load_current(context.store(environment, "code"), environment.prefix).state
    projects = list(state.projects.values()) if state else []
    versions = {project.models[name] for project in projects if name in project.models}
    if len(versions) != 1:
        return None
    store = context.store(environment, "models")
    kept = find_version(store, environment.prefix, name, versions.pop())
    return fetch_version(store, environment.prefix, kept, folder) if kept else None
