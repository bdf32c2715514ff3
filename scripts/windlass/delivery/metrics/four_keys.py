"""DORA's four keys, reckoned from what came live and the verdicts about it: nothing is read here.

docs/metrics.md says what each one means; where this differs from that page, one of the two is wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import dropwhile, groupby, pairwise
from statistics import median
from typing import Any

from windlass.delivery.metrics.came import Came
from windlass.spec.moment import read_timestamp
from windlass.spec.verdict import Verdict

PARTS = 12
"""Into how many parts of equal length the time is cut for the trend."""
_WEEK = timedelta(weeks=1)
_EVER = 10**12
Verdicts = Mapping[tuple[str, str], Sequence[Verdict]]


@dataclass(frozen=True)
class Change:
    """A promotion that brought another release; `failed` and, where it did, when the project was well again."""

    came: Came
    failed: bool
    restored: datetime | None = None


@dataclass(frozen=True)
class FourKeys:
    """The keys of one project, or of all (None); durations are seconds, and None is: nothing to reckon from."""

    project: str | None
    deployments: int
    per_week: float
    lead_time: float | None
    changes: int
    failed: int
    failure_rate: float | None
    restore_time: float | None
    restored: int
    trend: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        """The keys for a machine."""
        return asdict(self)


def four_keys(
    came: Iterable[Came], verdicts: Verdicts, begin: datetime, end: datetime
) -> tuple[FourKeys, list[FourKeys]]:
    """The keys of all projects together, and those of each, from `begin` to `end`."""
    by_project = sorted(came, key=lambda one: (one.project, one.serial))
    each: list[FourKeys] = []
    every: list[Change] = []
    for project, group in groupby(by_project, key=lambda one: one.project):
        changes = judged(list(group), verdicts)
        each.append(_reckoned(project, changes, begin, end))
        every += changes
    return _reckoned(None, every, begin, end), each


def judged(came: Sequence[Came], verdicts: Verdicts) -> list[Change]:
    """The promotions among what came of one project, each with whether it failed, and until when.

    One failed where a verdict about it was `fail` while it was live, or where it was taken back.
    """
    lives = [_Life(one, after, _fails(one, after, verdicts)) for one, after in pairwise([*came, None]) if one]
    changes: list[Change] = []
    for number, life in enumerate(lives):
        if life.came.is_back or life.came.release is None:
            continue
        failed = bool(life.fails) or life.is_taken_back
        well = next((at for later in lives[number:] if (at := later.well_at())), None) if failed else None
        changes.append(Change(life.came, failed, well))
    return changes


@dataclass(frozen=True)
class _Life:
    """What came, what came after it, and its verdicts from the first `fail` on."""

    came: Came
    after: Came | None
    fails: Sequence[Verdict]

    @property
    def is_taken_back(self) -> bool:
        return self.after is not None and self.after.is_back and not self.came.is_back

    def well_at(self) -> datetime | None:
        """When the project was well with it: at once, or when it passed after it had failed; None: never."""
        if self.is_taken_back:
            return None
        if not self.fails:
            return self.came.at
        return next((read_timestamp(verdict.at) for verdict in self.fails if verdict.result == "pass"), None)


def _fails(one: Came, after: Came | None, verdicts: Verdicts) -> list[Verdict]:
    every = verdicts.get((one.project, one.release or ""), ())
    own = [
        verdict for verdict in reversed(every) if one.serial <= _serial(verdict) < (after.serial if after else _EVER)
    ]
    return list(dropwhile(lambda verdict: verdict.result != "fail", own))


def _serial(verdict: Verdict) -> int:
    number = verdict.state.partition("-")[0]
    return int(number) if number.isdecimal() else -1


def _reckoned(project: str | None, changes: Sequence[Change], begin: datetime, end: datetime) -> FourKeys:
    leads = [max(0.0, (one.came.at - made).total_seconds()) for one in changes for made in one.came.changes]
    failed = [one for one in changes if one.failed]
    restores = [max(0.0, (one.restored - one.came.at).total_seconds()) for one in failed if one.restored]
    return FourKeys(
        project=project,
        deployments=len(changes),
        per_week=round(len(changes) / (max(end - begin, _WEEK) / _WEEK), 2),
        lead_time=median(leads) if leads else None,
        changes=len(leads),
        failed=len(failed),
        failure_rate=round(len(failed) / len(changes), 4) if changes else None,
        restore_time=median(restores) if restores else None,
        restored=len(restores),
        trend=_trend([one.came.at for one in changes], begin, end),
    )


def _trend(moments: Iterable[datetime], begin: datetime, end: datetime) -> tuple[int, ...]:
    """How many of the moments are in each part; the clocks of runners differ, so one may be a little outside."""
    counts = [0] * PARTS
    for moment in moments:
        part = int((moment - begin) / max(end - begin, timedelta(seconds=1)) * PARTS)
        counts[min(max(part, 0), PARTS - 1)] += 1
    return tuple(counts)
