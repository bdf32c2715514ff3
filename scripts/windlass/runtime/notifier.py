"""Tells people by name what became of a run or a task; who is behind a name is the environment's matter."""

import logging
from collections.abc import Sequence
from typing import Any

from .errors import RuntimeStop
from .settings import read_settings

_LOG = logging.getLogger(__name__)


class Notifier:
    """A callback of Airflow's: says that `event` came about to all that `names` stand for."""

    def __init__(self, event: str, names: Sequence[str]) -> None:
        self.event = event
        self.names = list(names)

    def __call__(self, context: Any) -> None:
        notify(self.event, self.names, context)


def deadline_missed(names: Sequence[str], context: Any = None) -> None:
    """What Airflow calls when a run is not done in time."""
    notify("deadline", names, context)


def notify(event: str, names: Sequence[str], context: Any) -> None:
    """Says `event` to each name; never raises, because a message that cannot be sent is no reason to stop a run."""
    from .message import send  # not in every parse of a DAG's file

    what, receivers = _what(event, context), _receivers()
    for name in names:
        if name not in receivers:
            _LOG.warning("%s: %s is to be told of it, and notify in the environment's file names nobody so", what, name)
            continue
        try:
            send(receivers[name]["connection"], what, what, receivers[name].get("to", []))
        except Exception as error:  # noqa: BLE001 - whatever a connection's provider raises, the run goes on
            _LOG.error("%s: %s could not be told of it: %s", what, name, error)
        else:
            _LOG.info("%s: told %s", what, name)


def _receivers() -> dict[str, Any]:
    try:
        return read_settings().notify
    except RuntimeStop as stop:
        _LOG.warning("nobody can be told anything: %s", stop)
        return {}


def _what(event: str, context: Any) -> str:
    words = {"failure": "failed", "success": "ended well", "retry": "is tried again", "deadline": "missed its deadline"}
    run = context.get("dag_run") if isinstance(context, dict) else None
    instance = context.get("ti") if isinstance(context, dict) else None
    about = "pipeline {}, run {}".format(*_run(run))
    if event == "retry" and instance is not None:
        about += f", task {getattr(instance, 'task_id', '?')}"
    return f"{about} {words.get(event, event)}"


def _run(run: Any) -> tuple[str, str]:
    """The ids of pipeline and run; Airflow gives the callback of a deadline what its API says of a run, a mapping."""
    if isinstance(run, dict):
        return run.get("dag_id", "?"), run.get("dag_run_id", "?")
    return getattr(run, "dag_id", "?"), getattr(run, "run_id", "?")
