"""When a pipeline runs: by the clock, each so often, or when assets have news; and the days between which it does."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from windlass.spec.duration import Duration
from windlass.spec.schema import Noun, Text

EARLIEST = date(1970, 1, 1)
LATEST = date(9999, 12, 30)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2})?)?")
_ASSET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}")
_NOT_ASSETS = ("self", "context")


def parse_day(value: object) -> object:
    """The date, or date and time, in text like `2026-01-31` or `2026-01-31 06:00`; ValueError says what is right."""
    if isinstance(value, date):
        return value
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is not None and (moment.tzinfo is not None or moment.microsecond):
        raise ValueError(f"{value!r} has a time zone or fractions of a second; the zone is a key of its own: timezone")
    if moment is None or not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError(f"{value!r} is not a date; write it like 2026-01-31 or '2026-01-31 06:00'")
    if not EARLIEST <= moment.date() <= LATEST:
        raise ValueError(f"{value!r} is not between {EARLIEST} and {LATEST}; Airflow cannot count there in every zone")
    return moment if ":" in value else moment.date()


def check_asset(value: str) -> str:
    """`value` itself when it may be an asset's name; ValueError otherwise."""
    if not _ASSET.fullmatch(value):
        raise ValueError(f"{value!r} cannot be an asset's name; take letters, digits and _ . / -, without ://")
    if value in _NOT_ASSETS:
        raise ValueError(f"{value!r} cannot be an asset's name: Airflow keeps it for itself; take another")
    return value


Day = Annotated[datetime | date, BeforeValidator(parse_day)]
AssetName = Annotated[str, AfterValidator(check_asset)]


def _kind_of_condition(value: Any) -> str:
    return "\0list" if isinstance(value, list) else _kind_of_part(value)


def _kind_of_part(value: Any) -> str:
    if isinstance(value, AllOf) or (isinstance(value, dict) and "any" not in value):
        return "\0all"
    return "\0any" if isinstance(value, (dict, AnyOf)) else "\0name"


Part = Annotated[
    Annotated[AssetName, Tag("\0name")] | Annotated["AllOf", Tag("\0all")] | Annotated["AnyOf", Tag("\0any")],
    Discriminator(_kind_of_part),
]
Parts = Annotated[list[Part], Field(min_length=1)]


class AllOf(Noun):
    """Each of these has news."""

    all: Parts


class AnyOf(Noun):
    """One of these has news."""

    any: Parts


Condition = Annotated[
    Annotated[AssetName, Tag("\0name")]
    | Annotated[Parts, Tag("\0list")]
    | Annotated[AllOf, Tag("\0all")]
    | Annotated[AnyOf, Tag("\0any")],
    Discriminator(_kind_of_condition),
]
"""What assets must have news: one of them, a list or `all` (each of them), `any` (one of them)."""


class Every(Noun):
    """Again and again after the same time."""

    every: Duration


class OnAssets(Noun):
    """Whenever assets have news."""

    assets: Condition


def _kind_of_schedule(value: Any) -> str:
    if isinstance(value, OnAssets) or (isinstance(value, dict) and "assets" in value):
        return "\0assets"
    return "\0every" if isinstance(value, (dict, Every)) else "\0text"


Schedule = Annotated[
    Annotated[Text, Tag("\0text")] | Annotated[Every, Tag("\0every")] | Annotated[OnAssets, Tag("\0assets")],
    Discriminator(_kind_of_schedule),
]
"""A cron expression or a preset like `@daily`, `{every: 2 hours}` or `{assets: ...}`."""


def asset_names(condition: Any) -> list[str]:
    """The names in a condition, in the order in which they were written."""
    if isinstance(condition, str):
        return [condition]
    parts = condition
    if isinstance(condition, (AllOf, AnyOf)):
        parts = condition.all if isinstance(condition, AllOf) else condition.any
    return [name for part in parts for name in asset_names(part)]
