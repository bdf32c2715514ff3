"""The configuration that makes an Airflow serve an environment: its `dag_bundle_config_list`, to be pasted."""

import json
import shlex
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from windlass.delivery.plain.bundle import STOCK_BUNDLE, plain_entry, plain_notes
from windlass.spec.environment import Buckets, Environment
from windlass.spec.errors import WindlassError
from windlass.spec.names import project_name

_CLASS = "windlass.airflow.bundle.ReleaseBundle"
_REFRESH_SECONDS = 5
"""A refresh is one conditional request, so it can be frequent."""
_OPTIONS = (
    ("dag_processor", "bundle_refresh_check_interval", "5"),
    # A file that would run differently gets a new time stamp and is parsed at once; the others need not be.
    ("dag_processor", "min_file_process_interval", "3600"),
    # Else a DAG that is promoted and rolled back within 30 seconds would keep the old tasks.
    ("core", "min_serialized_dag_update_interval", "0"),
)

Entry = dict[str, Any]


def bundle_entry(
    environment: Environment, buckets: Buckets, projects: Sequence[str] | None, aws_conn_id: str | None
) -> Entry:
    """One bundle of the list, which serves all projects unless some are given; `buckets` are resolved ones."""
    if environment.bundle == "plain":
        if projects is not None:
            raise WindlassError(f"--projects: environments/{environment.name}.yml has bundle: plain, which serves all")
        return plain_entry(environment, buckets, aws_conn_id)
    kwargs: dict[str, object] = {"bucket": buckets.code, "prefix": environment.prefix}
    if buckets.endpoint:
        kwargs["endpoint"] = buckets.endpoint
    if aws_conn_id:
        kwargs["aws_conn_id"] = aws_conn_id
    if projects is not None:
        kwargs["projects"] = _checked(projects)
    if environment.signers:
        kwargs["signers"] = dict(sorted(environment.signers.items()))
    kwargs["refresh_interval"] = _REFRESH_SECONDS
    name = environment.airflow.bundle if environment.airflow else "windlass"
    return {"name": name, "classpath": _CLASS, "kwargs": kwargs}


def describe_bundles(entries: Sequence[Entry]) -> list[str]:
    """The list as lines of `airflow.cfg`, and as the variable that stands for them."""
    value = json.dumps(list(entries))
    notes = [line for entry in entries if entry["classpath"] == STOCK_BUNDLE for line in plain_notes(entry["kwargs"])]
    has_versions = any(entry["classpath"] == _CLASS for entry in entries)
    options = [("dag_processor", "dag_bundle_config_list", value), *(_OPTIONS if has_versions else ())]
    lines = ["# airflow.cfg"]
    for section, in_section in groupby(options, key=itemgetter(0)):
        lines += [f"[{section}]", *(f"{name} = {text.replace('%', '%%')}" for _, name, text in in_section)]
    lines += ["", "# or in the environment of every Airflow component"]
    lines += [f"export {_variable(section, name)}={shlex.quote(text)}" for section, name, text in options]
    return lines + notes


def _variable(section: str, name: str) -> str:
    return f"AIRFLOW__{section}__{name}".upper()


def _checked(projects: Sequence[str]) -> list[str]:
    if not projects:
        raise WindlassError("--projects names no project; leave it away to serve all")
    try:
        return sorted({project_name(name) for name in projects})
    except ValueError as error:
        raise WindlassError(f"--projects: {error}") from error
