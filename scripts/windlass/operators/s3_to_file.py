"""Takes a file from the data bucket into a pipeline."""

import tempfile
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop
from ..runtime.settings import read_settings
from ..runtime.transfer import check_names, transfer_folder


class S3ToFile(BaseOperator):
    """Takes one file from the environment's part of the data bucket and passes it on as its only output.

    The pipeline works on a copy: whoever replaces the file later does not change what this run has seen.

    Args:
        key: Where the file is, below the environment's prefix in the data bucket, e.g. `incoming/orders.csv`. May
            contain Airflow's `{{ ds }}`.
        outputs: The one output port and the file name under which the following tasks see it.
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {"?": ""}
    template_fields = ("key",)

    def __init__(self, *, key: str, outputs: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if len(outputs) != 1:
            raise ValueError(f"s3_to_file has exactly one output, not {len(outputs)}: {', '.join(sorted(outputs))}")
        check_names(outputs)
        self.key = key
        self.outputs = outputs

    def execute(self, context: Any) -> None:
        from ..runtime.storage import Storage

        settings = read_settings()
        ((port, name),) = self.outputs.items()
        if self.key.startswith("/") or ".." in self.key.split("/"):
            raise RuntimeStop(f"key {self.key!r} must be relative to the environment's prefix, without '..'")
        storage, source = Storage(settings.endpoint), f"{settings.prefix}/{self.key}"
        with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
            path = Path(folder) / name
            _, size = storage.fetch(settings.data, source, path)
            self.log.info("fetched s3://%s/%s (%s bytes)", settings.data, source, size)
            kept = storage.keep(settings.data, f"{transfer_folder(settings, context['ti'])}/{name}", path)
        self.log.info("kept output %s as s3://%s/%s", port, settings.data, kept["key"])
        context["ti"].xcom_push(key=port, value=kept)
