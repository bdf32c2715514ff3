"""Waits for a file in the data bucket."""

from datetime import timedelta
from typing import Any, Literal

from airflow.sdk import BaseSensorOperator

from ..runtime.waiting import check_interval


class WaitForFile(BaseSensorOperator):
    """Waits until there is a file in the environment's part of the data bucket.

    Between two looks it takes no worker. It passes nothing on: `s3_to_file` takes the file.

    Args:
        key: Where the file will be, below the environment's prefix in the data bucket, e.g. `incoming/{{ ds }}.csv`.
        timeout: How long to wait altogether; then the task fails and is not tried again.
        poke_interval: How often to look; with the mode `reschedule` at least 10 seconds.
        mode: `reschedule` frees the worker between two looks, `poke` keeps it.

    Example:
        orders_are_in:
          operator_type: wait_for_file
          key: "incoming/{{ ds }}.csv"
          timeout: 3 hours
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    template_fields = ("key",)

    def __init__(
        self,
        *,
        key: str,
        timeout: timedelta = timedelta(hours=1),
        poke_interval: timedelta = timedelta(minutes=1),
        mode: Literal["reschedule", "poke"] = "reschedule",
        **kwargs: Any,
    ) -> None:
        check_interval(poke_interval, mode)
        super().__init__(timeout=timeout, poke_interval=poke_interval, mode=mode, **kwargs)
        self.key = key

    def poke(self, context: Any) -> bool:
        from ..runtime.settings import read_settings
        from ..runtime.storage import Storage
        from ..runtime.transfer import data_key

        settings = read_settings()
        key = data_key(settings, self.key)
        size = Storage(settings.endpoint).size(settings.data, key)
        there = "is not there yet" if size is None else f"is there ({size} bytes)"
        self.log.info("s3://%s/%s %s", settings.data, key, there)
        return size is not None
