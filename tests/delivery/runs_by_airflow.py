"""Prints when Airflow itself would run each of the cases in standard input; run in a process of its own."""

import json
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

from airflow._shared.timezones.timezone import coerce_datetime, parse_timezone
from airflow.timetables.trigger import CronTriggerTimetable

answers = []
for zone, schedule, now in json.load(sys.stdin):
    table = CronTriggerTimetable(schedule, timezone=parse_timezone(zone))
    moment, times = coerce_datetime(datetime.fromisoformat(now)), []
    for _ in range(4):
        moment = table._get_next(moment)
        times.append(moment.astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="minutes"))
    answers.append(times)
print(json.dumps(answers))
