"""The arguments of the DAG itself: when it runs, who hears of it, and what holds for all of its tasks."""

from datetime import date, datetime
from typing import Any

from windlass.render.literal import Call, identifier
from windlass.render.surroundings import Surroundings
from windlass.render.task import tries_and_limits
from windlass.render.texts import documentation
from windlass.spec.dag import Dag
from windlass.spec.parameter import Parameter
from windlass.spec.schedule import AllOf, AnyOf, Every, OnAssets


def dag_call(dag: Dag, surroundings: Surroundings) -> Call:
    """The call that makes the DAG."""
    keywords: dict[str, Any] = {"dag_id": dag.name}
    if dag.description:
        keywords["description"] = dag.description
    if dag.docs:
        keywords["doc_md"] = _no_path(documentation(dag.docs, surroundings.texts))
    keywords |= {"schedule": _schedule(dag.schedule), "start_date": _moment(dag.start_date, dag.timezone)}
    if dag.end_date:
        keywords["end_date"] = _moment(dag.end_date, dag.timezone)
    keywords |= {"catchup": dag.catchup, "default_args": _defaults(dag)}
    if surroundings.paused:
        keywords["is_paused_upon_creation"] = True
    for name, value in (("max_active_runs", dag.max_active_runs), ("max_active_tasks", dag.max_active_tasks)):
        if value is not None:
            keywords[name] = value
    if dag.run_time:
        keywords["dagrun_timeout"] = dag.run_time
    if dag.deadline:
        keywords["deadline"] = _deadline(dag, surroundings.project)
    if dag.params:
        keywords["params"] = {name: _parameter(parameter) for name, parameter in dag.params.items()}
    for event in ("failure", "success"):
        if names := dag.notify and getattr(dag.notify, event):
            keywords[f"on_{event}_callback"] = Call("Notifier", [event, names])
    if dag.tags:
        keywords["tags"] = dag.tags
    return Call("DAG", keywords=keywords, exploded=True)


def _no_path(text: str) -> str:
    """The text so that Airflow takes it as text: it opens a DAG's documentation that ends like a file's name."""
    return f"{text}\n" if text.endswith(".md") else text


def _moment(day: date, timezone: str) -> Call:
    numbers = [day.year, day.month, day.day]
    if isinstance(day, datetime):
        numbers += [day.hour, day.minute] + ([day.second] if day.second else [])
    return Call("datetime", numbers, {"tzinfo": Call("ZoneInfo", [timezone])})


def _schedule(schedule: Any) -> Any:
    if isinstance(schedule, Every):
        return schedule.every
    return _condition(schedule.assets) if isinstance(schedule, OnAssets) else schedule


def _condition(condition: Any) -> Any:
    if isinstance(condition, str):
        return Call("Asset", [condition])
    if isinstance(condition, list):
        return [_condition(part) for part in condition]
    if isinstance(condition, AllOf):
        return Call("AssetAll", [_condition(part) for part in condition.all])
    assert isinstance(condition, AnyOf)
    return Call("AssetAny", [_condition(part) for part in condition.any])


def _defaults(dag: Dag) -> dict[str, Any]:
    defaults = {"owner": dag.owner, **tries_and_limits(dag)}
    for name, value in (("pool", dag.pool), ("queue", dag.queue), ("priority_weight", dag.priority)):
        if value is not None:
            defaults[name] = value
    if dag.notify and dag.notify.retry:
        defaults["on_retry_callback"] = Call("Notifier", ["retry", dag.notify.retry])
    return defaults


def _deadline(dag: Dag, project: str) -> Call:
    names = dag.notify.deadline if dag.notify and dag.notify.deadline else []
    callback = Call("SyncCallback", [f"{project}.runtime.notifier.deadline_missed", {"names": names}])
    reference = identifier("DeadlineReference.DAGRUN_QUEUED_AT")
    return Call("DeadlineAlert", keywords={"reference": reference, "interval": dag.deadline, "callback": callback})


def _parameter(parameter: Parameter) -> Call:
    empty_allowed = parameter.has_default and parameter.default is None
    keywords: dict[str, Any] = {"type": ["null", parameter.type] if empty_allowed else parameter.type}
    for name, key in (
        ("title", "title"),
        ("description", "description"),
        ("minimum", "minimum"),
        ("maximum", "maximum"),
        ("min_length", "minLength"),
        ("max_length", "maxLength"),
        ("format", "format"),
        ("enum", "enum"),
    ):
        if (value := getattr(parameter, name)) is not None:
            is_whole = parameter.type == "integer" and isinstance(value, float) and value.is_integer()
            keywords[key] = int(value) if is_whole else value
    if empty_allowed and parameter.enum:
        keywords["enum"] = [*parameter.enum, None]
    return Call("Param", [parameter.default] if parameter.has_default else [], keywords)
