"""Whether freeze windows leave any time open: reckoned by the clock of each zone as it stands today."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import merge
from itertools import pairwise
from zoneinfo import ZoneInfo

from windlass.spec.cron import parse_cron
from windlass.spec.freeze import Freeze, FreezeAgain, FreezeOnce

HORIZON = timedelta(days=400)
"""How far is looked: each cron expression that fires at all, but on a leap day, does so in that time."""

_Span = tuple[datetime, datetime]


def leaves_time(windows: Iterable[Freeze], now: datetime) -> bool:
    """Whether there is a moment after `now` (with its zone) and before the horizon in no window.

    A summer time that begins or ends is left out of it, or a window of each whole day would open for an hour then.
    """
    end = now
    for first, last in merge(*(_spans(window, now) for window in windows)):
        if first > end or end >= now + HORIZON:
            break
        end = max(end, last)
    return end < now + HORIZON


def _spans(window: Freeze, now: datetime) -> Iterator[_Span]:
    """From when to when it is frozen, in their order."""
    offset = ZoneInfo(window.timezone).utcoffset(now.replace(tzinfo=None)) or timedelta(0)
    here = now.replace(tzinfo=None) - (now.utcoffset() or timedelta(0)) + offset
    for begin, end in _once(window) if isinstance(window, FreezeOnce) else _again(window, here):
        yield now + max(begin - here, -HORIZON), now + min(end - here, 2 * HORIZON)


def _once(window: FreezeOnce) -> Iterator[_Span]:
    yield window.begin, window.end


def _again(window: FreezeAgain, here: datetime) -> Iterator[_Span]:
    """One span for each run of times of a day that touch each other."""
    cron = parse_cron(window.cron)
    gaps = [
        index for index, (one, next_one) in enumerate(pairwise(cron.times)) if _minutes(next_one - one) > window.length
    ]
    firsts = [0, *(index + 1 for index in gaps)]
    lasts = [*gaps, len(cron.times) - 1]
    runs = [
        (_minutes(cron.times[a]), _minutes(cron.times[b]) + window.length) for a, b in zip(firsts, lasts, strict=True)
    ]
    day = datetime(here.year, here.month, here.day) - timedelta(days=window.length.days + 2)
    while day < here + HORIZON + timedelta(days=1):
        if cron.fires_on(day.date()):
            yield from ((day + begin, day + end) for begin, end in runs)
        day += timedelta(days=1)


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)
