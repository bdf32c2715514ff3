"""Walks the states of an environment backwards: the further back, the more are fetched at once.

A state names the one before it by its hash, so the way back is one request after the other. A listing shows the names
of all states, those that lost a swap among them: they are fetched ahead, many at once. The chain alone is believed; a
state that it does not name is dropped, and one that is missing is asked for by name.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from windlass.delivery.history.states import STATE_NAME, load_named
from windlass.delivery.side_by_side import side_by_side
from windlass.spec.errors import DeliveryError
from windlass.spec.state import State
from windlass.spec.store import Store

_ALONE = 3
"""So many states are fetched one by one: most who go back do not go far."""
_MOST = 64


def earlier_states(store: Store, prefix: str, state: State) -> Iterator[State]:
    """The states before `state`, newest first."""
    names: Mapping[int, list[str]] = {}
    ahead: dict[str, State] = {}
    seen, number = 0, 8
    while state.previous:
        name = state.previous
        if name not in ahead and seen >= _ALONE and STATE_NAME.fullmatch(name):
            names = names or _names(store, prefix)
            ahead = _fetch(store, prefix, [one for serial in _before(name, number) for one in names.get(serial, [])])
            number = min(2 * number, _MOST)
        state = ahead.pop(name) if name in ahead else load_named(store, prefix, name)
        seen += 1
        yield state


def _before(name: str, number: int) -> range:
    """The serial of the state `name` and those before it, `number` in all."""
    newest = int(name.partition("-")[0])
    return range(newest, max(newest - number, 0), -1)


def _names(store: Store, prefix: str) -> dict[int, list[str]]:
    """The names of all states that are there, by serial."""
    found: dict[int, list[str]] = defaultdict(list)
    for key in store.list(f"{prefix}/states/"):
        name = key.removeprefix(f"{prefix}/states/").removesuffix(".json")
        if STATE_NAME.fullmatch(name):
            found[int(name.partition("-")[0])].append(name)
    return found


def _fetch(store: Store, prefix: str, names: list[str]) -> dict[str, State]:
    """Those of the states that can be read; whoever needs another one asks again, and gets the reason."""

    def load(name: str) -> State | None:
        try:
            return load_named(store, prefix, name)
        except DeliveryError:
            return None

    found = side_by_side(load, names)
    return {name: state for name, state in zip(names, found, strict=True) if state is not None}
