"""Copies a file to the place where others pick it up."""

import re
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop
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


def delivered_path(to: str, run: Any) -> str:
    """`to` with `{ds}` and `{run_id}` filled in; RuntimeStop when it would leave the `delivered/` folder.

    A run that was started by hand has no logical date: its date is when it was to begin.
    """
    date = run.logical_date or run.run_after or run.start_date
    values = {"ds": date.strftime("%Y-%m-%d"), "run_id": quote(run.run_id, safe=":+@~")}
    unknown = sorted(set(re.findall(r"\{(\w*)\}", to)) - values.keys())
    if unknown:
        raise RuntimeStop(f"to: {to!r} has the unknown placeholder {{{unknown[0]}}}; valid: {{ds}}, {{run_id}}")
    path = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], to)
    if any(part in ("", ".", "..") for part in path.split("/")) or not path.isprintable():
        raise RuntimeStop(f"to: {path!r} is not a path below delivered/; write it relative, without '..'")
    return path
