"""Leaves a file in the data bucket."""

from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop
from ..runtime.transfer import only_port


class FileToS3(BaseOperator):
    """Copies its one input to a place in the environment's part of the data bucket. A second run replaces the file.

    For files that other people pick up, take `deliver`; this is for what pipelines share among themselves.

    Args:
        key: Where the file goes, below the environment's prefix in the data bucket, e.g. `reference/rates.csv`. May
            contain Airflow's `{{ ds }}`. What is below `transfer/` is windlass's own.
        inputs: The one input port and the output that it takes.

    Example:
        keep:
          operator_type: file_to_s3
          key: reference/orders.csv
          inputs: {data: take.orders.data}
    """

    inputs: dict[str, Any] = {"?": ""}
    outputs: dict[str, str] = {}
    template_fields = ("inputs", "key")

    def __init__(self, *, key: str, inputs: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        only_port("file_to_s3", "input", inputs)
        self.key = key
        self.inputs = inputs

    def execute(self, context: Any) -> None:
        from ..runtime.settings import read_settings
        from ..runtime.storage import Storage
        from ..runtime.transfer import data_key, reference

        settings = read_settings()
        ((port, value),) = self.inputs.items()
        file = reference(port, value)
        if self.key.startswith("transfer/"):
            raise RuntimeStop(
                f"key {self.key!r}: transfer/ is for files between tasks and is emptied; take another folder"
            )
        target = data_key(settings, self.key)
        Storage(settings.endpoint).copy(settings.data, str(file["key"]), target, int(file["size"]))
        self.log.info("wrote s3://%s/%s (%s bytes)", settings.data, target, file["size"])
