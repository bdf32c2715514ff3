"""Takes a file from the data bucket into a pipeline."""

from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.transfer import check_names, only_port


class S3ToFile(BaseOperator):
    """Takes one file from the environment's part of the data bucket and passes it on as its only output.

    The pipeline works on a copy: whoever replaces the file later does not change what this run has seen.

    Args:
        key: Where the file is, below the environment's prefix in the data bucket, e.g. `incoming/orders.csv`. May
            contain Airflow's `{{ ds }}`.
        outputs: The one output port and the file name under which the following tasks see it.

    Example:
        orders:
          operator_type: s3_to_file
          key: "incoming/{{ ds }}.csv"
          outputs: {data: orders.csv}
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {"?": ""}
    template_fields = ("key",)

    def __init__(self, *, key: str, outputs: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        only_port("s3_to_file", "output", outputs)
        check_names(outputs)
        self.key = key
        self.outputs = outputs

    def execute(self, context: Any) -> None:
        from ..runtime.task_files import task_files
        from ..runtime.transfer import data_key

        (port,) = self.outputs
        with task_files(self, context) as files:
            bucket, key = files.settings.data, data_key(files.settings, self.key)
            _, size = files.storage.fetch(bucket, key, files.output(port))
            self.log.info("fetched s3://%s/%s (%s bytes)", bucket, key, size)
            files.keep(port)
