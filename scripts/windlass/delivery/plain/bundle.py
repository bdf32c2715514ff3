"""The configuration that makes an Airflow without windlass serve a plain environment: the stock bundle, or MWAA."""

import shlex
from collections.abc import Mapping

from windlass.spec.environment import Buckets, Environment
from windlass.spec.layout import dags_key

STOCK_BUNDLE = "airflow.providers.amazon.aws.bundles.s3.S3DagBundle"
_REFRESH_SECONDS = 60
"""A refresh lists every file; at the bundle's default of five minutes a verification would wait for the first one."""


def plain_entry(environment: Environment, buckets: Buckets, aws_conn_id: str | None) -> dict[str, object]:
    """The bundle that serves the files of all projects; `buckets` are resolved ones."""
    kwargs: dict[str, object] = {"bucket_name": buckets.code, "prefix": dags_key(environment.prefix).rstrip("/")}
    if aws_conn_id:
        kwargs["aws_conn_id"] = aws_conn_id
    kwargs["refresh_interval"] = _REFRESH_SECONDS
    name = environment.airflow.bundle if environment.airflow else "windlass"
    return {"name": name, "classpath": STOCK_BUNDLE, "kwargs": kwargs}


def plain_notes(kwargs: Mapping[str, object]) -> list[str]:
    """The same for MWAA, and what a person has to know about files without versions."""
    bucket, prefix = str(kwargs["bucket_name"]), str(kwargs["prefix"])
    arn = shlex.quote(f"arn:aws:s3:::{bucket}")
    return [
        "",
        "# or MWAA, and then `airflow: {bundle: dags-folder}` in the environment's file",
        f"aws mwaa update-environment --name NAME --source-bucket-arn {arn} --dag-s3-path {shlex.quote(prefix)}",
        "",
        "# bundle: plain has no versions: a run that is under way sees the new files with its next task.",
        "# A store other than AWS: endpoint_url in the extra of the Airflow connection (aws_default if none is named).",
    ]
