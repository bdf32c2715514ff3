"""What commands have in common: the project they stand in, the environments it can reach, and the stores of each."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from windlass.spec.environment import (
    Buckets,
    Environment,
    RuntimeSettings,
    environments_folder,
    load_environments,
    resolve,
)
from windlass.spec.errors import WindlassError
from windlass.spec.names import project_name
from windlass.spec.store import Store

Command = TypeVar("Command", bound=Callable[..., Any])
Purpose = Literal["code", "models", "data"]
OpenStore = Callable[[str], Store]
"""Gives the store for the name of a bucket: what who calls `main` may bring in place of S3."""


def environments_option(command: Command) -> Command:
    """Adds `--environments DIR`; hand its value to `environments()`."""
    return click.option(
        "--environments",
        "environments_dir",
        metavar="DIR",
        envvar="WINDLASS_ENVIRONMENTS",
        help="Folder with the environments.  [default: ./environments, else ./.windlass/platform/environments]",
    )(command)


def project_option(command: Command) -> Command:
    """Adds `--project NAME`; hand its value to `project()`."""
    return click.option(
        "--project",
        "project_given",
        metavar="NAME",
        envvar="WINDLASS_PROJECT",
        help="The project's name.  [default: CI_PROJECT_NAME, git's origin, or the folder's name]",
    )(command)


def json_option(command: Command) -> Command:
    """Adds `--json`, which every command that reports has."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def project_folder() -> Path:
    """The folder of the project: the one that the command was started in."""
    return Path.cwd()


def project(given: str | None) -> str:
    """The project's name as a Python package: `given`, else GitLab's name, git's origin or the folder's name."""
    from windlass.adapters.git import origin_name

    folder = project_folder()
    name = given or os.environ.get("CI_PROJECT_NAME") or origin_name(folder) or folder.name
    try:
        return project_name(name)
    except ValueError as error:
        raise WindlassError(f"{error}; give another name with --project") from error


def environments(given: str | None) -> dict[str, Environment]:
    """All environments by name, upstream before downstream, from the folder `given` or the usual ones."""
    return load_environments(environments_folder(project_folder(), given))


def first(all_environments: Mapping[str, Environment]) -> Environment:
    """The environment without upstream, where models are trained and releases are published."""
    roots = [environment for environment in all_environments.values() if environment.upstream is None]
    if not roots:
        raise WindlassError("the environments folder is empty; write environments/dev.yml")
    if len(roots) > 1:
        names = ", ".join(environment.name for environment in roots)
        raise WindlassError(f"more than one environment has no upstream: {names}; give all but one its upstream")
    return roots[0]


def buckets(environment: Environment) -> Buckets:
    """The environment's buckets with every `${NAME}` filled in from the variables of this process."""
    return resolve(environment.s3, os.environ, f"environments/{environment.name}.yml: s3")


def runtime_settings(environment: Environment) -> RuntimeSettings:
    """The settings that pipelines of this environment see, with every `${NAME}` filled in."""
    return resolve(environment.runtime, os.environ, f"environments/{environment.name}.yml")


def store(environment: Environment, purpose: Purpose) -> Store:
    """The environment's bucket for code, models or data; the buckets of one endpoint share their connections."""
    where = buckets(environment)
    name = {"code": where.code, "models": where.models, "data": where.data}[purpose]
    current = click.get_current_context(silent=True)
    if current and current.obj is not None:
        brought: OpenStore = current.obj
        return brought(name)
    from windlass.adapters.s3 import Bucket, open_client

    clients = current.meta.setdefault("windlass.s3", {}) if current else {}
    if where.endpoint not in clients:
        clients[where.endpoint] = open_client(f"s3://{name}", where.endpoint)
    return Bucket(clients[where.endpoint], name)
