"""Freeze windows: when nothing may be promoted, by the clock of a time zone, from day to day or again and again."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from windlass.spec.cron import parse_cron
from windlass.spec.duration import Duration
from windlass.spec.problem import near
from windlass.spec.schema import Noun, Text

_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]")
_EXAMPLE = "write it like 2026-12-20 18:00, by the clock of its timezone"


def parse_local_time(value: object) -> datetime:
    """The time without zone that `value` names; ValueError says what would be right."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    try:
        if isinstance(value, str) and _LOCAL.fullmatch(value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{value!r} is not a time; {_EXAMPLE}")


def check_timezone(name: str) -> str:
    """`name` itself when the IANA database has it; ValueError otherwise."""
    if name != "UTC" and name not in _zones():
        advice = near(name, _zones()) if "/" in name else "; take UTC or a name like Europe/Berlin"
        raise ValueError(f"there is no time zone {name!r}{advice}")
    return name


def check_cron(expression: str) -> str:
    """`expression` itself when it is a cron expression that fires; ValueError otherwise."""
    try:
        parse_cron(expression)
    except ValueError as error:
        raise ValueError(f"{expression!r}: {error}") from None
    return expression


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}  # what they are says the machine


LocalTime = Annotated[datetime, BeforeValidator(parse_local_time)]
Timezone = Annotated[str, AfterValidator(check_timezone)]


class FreezeOnce(Noun):
    """From one time to another."""

    model_config = ConfigDict(serialize_by_alias=True)

    begin: LocalTime = Field(alias="from")
    end: LocalTime = Field(alias="to")
    timezone: Timezone
    reason: Text

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.end <= self.begin:
            raise ValueError(f"the window ends ({self.end:%Y-%m-%d %H:%M}) before it begins; exchange from and to")
        return self

    def until(self, now: datetime) -> datetime | None:
        """The end of the window where `now` is in it, else None.

        A time that the clock shows twice, or skips, is read so that the window is the longer one.
        """
        begin = min(_instants(self.begin, self.timezone))
        end = max(_instants(self.end, self.timezone))
        return end if begin <= now < end else None


class FreezeAgain(Noun):
    """Each time that `cron` fires, for so long."""

    model_config = ConfigDict(serialize_by_alias=True)

    cron: Annotated[Text, AfterValidator(check_cron)]
    length: Duration = Field(alias="for")
    timezone: Timezone
    reason: Text

    def until(self, now: datetime) -> datetime | None:
        """The end of the last window that began, where `now` is in it, else None."""
        cron = parse_cron(self.cron)
        day = now.astimezone(ZoneInfo(self.timezone)).date() + timedelta(days=1)
        for _ in range(self.length.days + 4):  # what began earlier has ended
            if cron.fires_on(day):
                begins = [begin for minute in cron.times for begin in _instants(_at(day, minute), self.timezone)]
                begun = [begin for begin in begins if begin <= now]
                if begun:
                    end = max(begun) + self.length
                    return end if now < end else None
            day -= timedelta(days=1)
        return None


def _at(day: date, minute: int) -> datetime:
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60)


def _instants(local: datetime, timezone: str) -> tuple[datetime, datetime]:
    """Both readings of a time by the clock of a zone: they differ where the clock is put forward or back."""
    zone = ZoneInfo(timezone)
    try:
        first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:  # the first or last day of all, somewhere on the other side of the date line
        return local.replace(tzinfo=UTC), local.replace(tzinfo=UTC)
    return first, second


def _kind(value: Any) -> str:
    if isinstance(value, FreezeAgain) or (isinstance(value, dict) and "cron" in value):
        return "\0again"
    return "\0once"


Freeze = Annotated[Annotated[FreezeOnce, Tag("\0once")] | Annotated[FreezeAgain, Tag("\0again")], Discriminator(_kind)]
"""A freeze window: `{from, to}` or `{cron, for}`, each with its time zone and the reason."""
