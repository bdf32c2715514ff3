"""Turns a file into another format."""

from typing import Any, Literal

from airflow.sdk import BaseOperator

from ..runtime.transfer import check_names, only_port


class Convert(BaseOperator):
    """Turns a `.csv`, `.parquet` or `.jsonl` file into another of these formats; the endings say which.

    It needs pyarrow in Airflow's image and reads the file in batches, so memory does not grow with it. In CSV an empty
    field is a null and `""` is empty text; in JSON lines a number that is not finite becomes a null.

    Args:
        types: The types of columns. Others are guessed from the first values of a CSV or JSON lines file, and a later
            value that does not fit ends the task.
        inputs: The one input port and the output that it takes.
        outputs: The one output port and its file name, with the ending of the wanted format.

    Example:
        to_parquet:
          operator_type: convert
          types: {zip: string}
          inputs: {data: take.orders.data}
          outputs: {data: orders.parquet}
    """

    inputs: dict[str, Any] = {"?": ""}
    outputs: dict[str, str] = {"?": ""}
    template_fields = ("inputs",)

    def __init__(
        self,
        *,
        types: dict[str, Literal["boolean", "integer", "number", "string", "date", "timestamp"]] | None = None,
        inputs: dict[str, Any],
        outputs: dict[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        from ..runtime.tables import TYPES, format_of

        only_port("convert", "input", inputs)
        port = only_port("convert", "output", outputs)
        check_names(outputs)
        format_of(outputs[port])
        unknown = sorted(set((types or {}).values()) - set(TYPES))
        if unknown:
            raise ValueError(f"convert: {unknown[0]!r} is no type; valid: {', '.join(TYPES)}")
        self.types = types
        self.inputs = inputs
        self.outputs = outputs

    def execute(self, context: Any) -> None:
        from ..runtime.errors import RuntimeStop
        from ..runtime.tables import convert
        from ..runtime.task_files import task_files

        ((taken, _),), ((made, _),) = self.inputs.items(), self.outputs.items()
        with task_files(self, context) as files:
            try:
                rows = convert(files.fetch(taken), files.output(made), self.types)
            except ValueError as error:  # the input's ending is known only now
                raise RuntimeStop(f"input {taken!r}: {error}") from error
            self.log.info("converted %s rows", rows)
            files.keep(made)
