"""What a run outside of Airflow is called and when it is; what templates and scripts may know of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from windlass.runtime.errors import RuntimeStop
from windlass.runtime.script import Script

TRY = 1
"""A task that does not end well is not tried again."""


@dataclass(frozen=True)
class RunContext:
    """A run of a pipeline: its moment, its parameters, its folder, and the environment whose values it has."""

    pipeline: str
    logical_date: datetime
    folder: Path
    params: Mapping[str, Any] = field(default_factory=dict)
    environment: str = "local"

    @property
    def delivered(self) -> Path:
        """Where files that are delivered go."""
        return self.folder / "delivered"

    @property
    def run_id(self) -> str:
        """The name of the run, as scripts and templates see it."""
        return f"local__{self.logical_date.isoformat()}"

    def variables(self, task_id: str, index: int) -> dict[str, str]:
        """The environment variables of a job; `index` is that of the run among those of a mapped task, or -1."""
        return {
            "WINDLASS_PIPELINE": self.pipeline,
            "WINDLASS_TASK": task_id,
            "WINDLASS_RUN_ID": self.run_id,
            "WINDLASS_ENVIRONMENT": self.environment,
            "WINDLASS_TRY": str(TRY),
            "WINDLASS_MAP_INDEX": str(max(index, 0)),
        }


class Templates:
    """Airflow's templates, as far as they make sense without an Airflow; a name that is not there is an error."""

    def __init__(self, run: RunContext, task_id: str, index: int = -1) -> None:
        self._names = _names(run, task_id, index)

    def fill(self, script: Script) -> str:
        """The script with what its templates print as marks, which are quoted for the shell later."""
        return self._render("execution_script", script.text, script.mark)

    def text(self, where: str, value: Any) -> Any:
        """A value with the templates in all of its texts filled in."""
        if isinstance(value, str):
            return self._render(where, value) if "{{" in value or "{%" in value else value
        if isinstance(value, Mapping):
            return {key: self.text(where, inner) for key, inner in value.items()}
        return [self.text(where, inner) for inner in value] if isinstance(value, list) else value

    def _render(self, where: str, text: str, finalize: Callable[[Any], str] | None = None) -> str:
        from jinja2 import StrictUndefined, TemplateError, UndefinedError
        from jinja2.sandbox import SandboxedEnvironment

        environment = SandboxedEnvironment(undefined=StrictUndefined, finalize=finalize)
        environment.filters.update(_FILTERS)
        try:
            return environment.from_string(text).render(self._names)
        except UndefinedError as error:
            known = ", ".join(sorted(self._names))
            raise RuntimeStop(f"{where}: {error}; outside of Airflow templates know {known}") from error
        except (TemplateError, TypeError, ValueError) as error:
            raise RuntimeStop(f"{where}: {error}") from error


def _names(run: RunContext, task_id: str, index: int) -> dict[str, Any]:
    at, id_of_run = run.logical_date, run.run_id
    instance = SimpleNamespace(
        task_id=task_id, dag_id=run.pipeline, run_id=id_of_run, try_number=TRY, map_index=index, logical_date=at
    )
    return {
        "dag": SimpleNamespace(dag_id=run.pipeline),
        "dag_run": SimpleNamespace(run_id=id_of_run, dag_id=run.pipeline, logical_date=at, conf=dict(run.params)),
        "data_interval_end": at,
        "data_interval_start": at,
        "ds": _FILTERS["ds"](at),
        "ds_nodash": _FILTERS["ds_nodash"](at),
        "logical_date": at,
        "macros": SimpleNamespace(
            datetime=datetime, timedelta=timedelta, date=date, ds_add=_ds_add, ds_format=_ds_format
        ),
        "params": dict(run.params),
        "run_id": id_of_run,
        "task": SimpleNamespace(task_id=task_id),
        "task_instance": instance,
        "ti": instance,
        "ts": _FILTERS["ts"](at),
        "ts_nodash": _FILTERS["ts_nodash"](at),
        "ts_nodash_with_tz": _FILTERS["ts_nodash_with_tz"](at),
    }


def _ds_add(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _ds_format(day: str, given: str, wanted: str) -> str:
    return datetime.strptime(day, given).replace(tzinfo=UTC).strftime(wanted)


_FILTERS: dict[str, Callable[[datetime], str]] = {
    "ds": lambda at: at.strftime("%Y-%m-%d"),
    "ds_nodash": lambda at: at.strftime("%Y%m%d"),
    "ts": lambda at: at.isoformat(),
    "ts_nodash": lambda at: at.strftime("%Y%m%dT%H%M%S"),
    "ts_nodash_with_tz": lambda at: at.isoformat().replace("-", "").replace(":", ""),
}
