"""Copies a file to the place where others pick it up."""

from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.delivered import delivered_path
from ..runtime.settings import read_settings
from ..runtime.transfer import reference


class Deliver(BaseOperator):
    """Copies its one input to the environment's `delivered/` folder in the data bucket. A second run replaces the file.

    Args:
        to: The path below `delivered/`. `{ds}` is the run's date (UTC), `{run_id}` its id; `{{ ds }}` works too.
        inputs: The one input port and the output that it takes.

    Example:
        keep:
          operator_type: deliver
          to: "orders/{ds}.csv"
          inputs: {data: take.orders.data}
    """

    inputs: dict[str, Any] = {"?": ""}
    outputs: dict[str, str] = {}
    template_fields = ("inputs", "to")

    def __init__(self, *, to: str, inputs: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if len(inputs) != 1:
            raise ValueError(f"deliver has exactly one input, not {len(inputs)}: {', '.join(sorted(inputs))}")
        self.to = to
        self.inputs = inputs

    def execute(self, context: Any) -> None:
        from ..runtime.storage import Storage

        settings = read_settings()
        ((port, value),) = self.inputs.items()
        file = reference(port, value)
        target = f"{settings.prefix}/delivered/{delivered_path(self.to, context['dag_run'])}"
        Storage(settings.endpoint).copy(settings.data, str(file["key"]), target, int(file["size"]))
        self.log.info("delivered s3://%s/%s (%s bytes)", settings.data, target, file["size"])
