"""The configuration that makes an Airflow serve an environment: its `dag_bundle_config_list`, to be pasted."""

import json
import shlex
from collections.abc import Sequence
from typing import Any

from windlass.delivery.plain_bundle import STOCK_BUNDLE, plain_entry, plain_notes
from windlass.spec.environment import Buckets, Environment
from windlass.spec.errors import WindlassError
from windlass.spec.names import project_name

_CLASS = "windlass.airflow.bundle.ReleaseBundle"
_REFRESH_SECONDS = 30
"""A refresh is one conditional request, so it can be frequent."""

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
    return [
        "# airflow.cfg",
        "[dag_processor]",
        f"dag_bundle_config_list = {value.replace('%', '%%')}",
        "",
        "# or in the environment of every Airflow component",
        f"export AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST={shlex.quote(value)}",
        *notes,
    ]


def _checked(projects: Sequence[str]) -> list[str]:
    if not projects:
        raise WindlassError("--projects names no project; leave it away to serve all")
    try:
        return sorted({project_name(name) for name in projects})
    except ValueError as error:
        raise WindlassError(f"--projects: {error}") from error
