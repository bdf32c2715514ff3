"""The value of an option that names a moment in the past."""

from datetime import UTC, datetime

from windlass.spec.errors import WindlassError
from windlass.spec.moment import parse_moment, written


def past_moment(option: str, text: str) -> datetime:
    """The moment that `text` names; WindlassError when it names none, or one that is still to come."""
    now = datetime.now(UTC)
    try:
        moment = parse_moment(text, now)
    except ValueError as error:
        raise WindlassError(f"{option}: {error}") from error
    if moment > now:
        raise WindlassError(f"{option}: {text!r} is in the future ({written(moment)}, and it is {written(now)} now)")
    return moment
