"""When a schedule fires next, as Airflow's CronTriggerTimetable reckons it: by the clock of the DAG's time zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
"""What Airflow makes of its presets."""
_LONGEST = 200


@dataclass(frozen=True)
class Runs:
    """The next runs in local time with the offset: `2026-11-23 06:00+01:00`; None: they cannot be told in advance.

    `rhythm` says then what begins a run, or is None where the schedule cannot be read.
    """

    timezone: str
    times: tuple[str, ...] | None
    rhythm: str | None = None


def next_runs(dag: Mapping[str, Any], now: datetime, count: int = 3) -> Runs:
    """The first `count` runs after `now` of a pipeline that is new in its Airflow; none without a schedule.

    `dag` is a release's data, so anything may stand in it.
    """
    zone_name, schedule = str(dag.get("timezone", "UTC")), dag.get("schedule")
    if schedule is None:
        return Runs(zone_name, ())
    if isinstance(schedule, Mapping):
        every = schedule.get("every")
        return Runs(zone_name, None, f"every {every}" if isinstance(every, str) else "whenever assets have news")
    try:
        zone = ZoneInfo(zone_name)
        start = _moment(dag.get("start_date"), zone)
        times = _times(str(schedule), zone, start, now.astimezone(UTC), count)
        if dag.get("end_date") is not None:
            end = _moment(dag["end_date"], zone)
            times = [time for time in times if time <= end]
    except (ValueError, KeyError, OverflowError, OSError):  # croniter's errors are ValueErrors
        return Runs(zone_name, None)
    shown = (time.astimezone(zone).isoformat(sep=" ", timespec="minutes") for time in times)
    return Runs(zone_name, tuple(shown))


def _moment(day: Any, zone: ZoneInfo) -> datetime:
    """A date, or a date and time, by the clock of the zone."""
    return _aware(datetime.fromisoformat(str(day)).replace(tzinfo=None), zone)


def _times(schedule: str, zone: ZoneInfo, start: datetime, now: datetime, count: int) -> list[datetime]:
    if schedule == "@once":
        return [start] if start > now else []
    expression = PRESETS.get(schedule, schedule)
    if len(expression) > _LONGEST or len(expression.split()) != 5:
        raise ValueError(f"{schedule!r} is not a cron expression")
    times = [max(now, start - timedelta(seconds=1))]  # a run at the start date itself counts
    while len(times) <= count:
        times.append(_following(expression, zone, times[-1]))
    return times[1:]


def _following(expression: str, zone: ZoneInfo, current: datetime) -> datetime:
    naive = current.astimezone(zone).replace(tzinfo=None)
    cron = croniter(expression, start_time=naive)
    scheduled: datetime = cron.get_next(datetime)
    if cron.expanded[1] == ["*"]:  # each hour is an hour long, even the one that comes twice in autumn
        return current + (scheduled - naive)
    return _aware(scheduled, zone)


def _aware(naive: datetime, zone: ZoneInfo) -> datetime:
    """In autumn the later of the two moments that the clock shows; in spring, for a time that is skipped, the later."""
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    skipped = (second.utcoffset() or timedelta()) > (first.utcoffset() or timedelta())
    return (first if skipped else second).astimezone(UTC)
