"""Waits for news of an asset."""

from datetime import timedelta
from typing import Any, Literal

from airflow.sdk import Asset, BaseSensorOperator

from ..runtime.waiting import check_interval


class WaitForAsset(BaseSensorOperator):
    """Waits until some task has reported a change of an asset, since this run was due or shortly before.

    To start a whole pipeline when an asset changes, give its name in the pipeline's `schedule`; this is for a task in
    the middle of a pipeline that has its own schedule. Between two looks it takes no worker.

    Args:
        asset: The name of the asset, as the task that changes it names it.
        within: How much older than the run's due time the report may be.
        timeout: How long to wait altogether; then the task fails and is not tried again.
        poke_interval: How often to look; with the mode `reschedule` at least 10 seconds.
        mode: `reschedule` frees the worker between two looks, `poke` keeps it.

    Example:
        rates_are_in:
          operator_type: wait_for_asset
          asset: rates
          within: 6 hours
          timeout: 2 hours
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {}

    def __init__(
        self,
        *,
        asset: str,
        within: timedelta = timedelta(0),
        timeout: timedelta = timedelta(hours=1),
        poke_interval: timedelta = timedelta(minutes=1),
        mode: Literal["reschedule", "poke"] = "reschedule",
        **kwargs: Any,
    ) -> None:
        check_interval(poke_interval, mode)
        # only a task's inlets may be asked for their events
        inlets = [*(kwargs.pop("inlets", None) or []), Asset(asset)]
        super().__init__(timeout=timeout, poke_interval=poke_interval, mode=mode, inlets=inlets, **kwargs)
        self.asset = asset
        self.within = within

    def poke(self, context: Any) -> bool:
        since = context["dag_run"].run_after - self.within
        events = context["inlet_events"][Asset(self.asset)].after(since).ascending(False).limit(1)
        found = next(iter(events), None)
        if found is None:
            self.log.info("nothing has changed %s since %s", self.asset, since)
            return False
        self.log.info("%s was changed at %s", self.asset, found.timestamp)
        return True
