"""What was live in an environment at an earlier moment, or in one of its states: read from ledger and states."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from windlass.delivery.history.ledger import newest_first
from windlass.delivery.history.states import load_current, load_named
from windlass.delivery.place import Place
from windlass.spec.errors import DeliveryError
from windlass.spec.moment import read_timestamp
from windlass.spec.state import LedgerRecord, State


@dataclass(frozen=True)
class Then:
    """The state that was live, None before the first one; `until` is when the next one came, None: it still is."""

    state: State | None
    until: str | None


def state_at(place: Place, moment: datetime) -> Then:
    """What was live at `moment`: the newest state that was deployed by then."""

    def had_come(name: str, at: str) -> bool:
        came = read_timestamp(at)
        if came is None:
            raise DeliveryError(
                f"state {name!r} of {place.name} has no time that can be read ({at!r}); "
                f"windlass history {place.name} --verify looks who altered it"
            )
        return came <= moment

    return _newest(place, had_come)


def state_named(place: Place, name: str) -> Then:
    """The state whose name or serial is `name`."""
    found = _newest(place, lambda each, at: name in (each, each.partition("-")[0]))
    if found.state is None:
        live = load_current(place.code, place.prefix).state
        last = f"its last one is {live.name}" if live else "nothing was promoted to it yet"
        raise DeliveryError(f"{place.name} never had a state {name!r}; {last}")
    return found


def _newest(place: Place, is_meant: Callable[[str, str], bool]) -> Then:
    """The newest state of which `is_meant(name, time)` holds."""
    until: str | None = None
    for name, at in _back(place):
        if is_meant(name, at):
            return Then(load_named(place.code, place.prefix, name), until)
        until = at
    return Then(None, until)


def _back(place: Place) -> Iterator[tuple[str, str]]:
    """Name and time of each state, newest first: from the ledger, and where a record is lost, from the states."""
    live = load_current(place.code, place.prefix).state
    after: str | None = None
    for _, record in newest_first(place.code, place.prefix, live):
        if isinstance(record, LedgerRecord):
            after, at = record.state, record.deployment.at
        else:
            state = _before(place, after) if after else live
            assert state is not None  # there is a record to look for only where a state is live
            after, at = state.name, state.deployment.at
        yield after, at


def _before(place: Place, name: str) -> State:
    previous = load_named(place.code, place.prefix, name).previous
    if previous is None:
        raise DeliveryError(f"state {name!r} of {place.name} follows none; windlass history {place.name} --verify")
    return load_named(place.code, place.prefix, previous)
