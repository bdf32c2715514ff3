"""The ledger: one immutable record per state, each with the hash of the record before it.

A record follows from its state and the record before, so a crash between the swap of `state.json` and the record loses
nothing: whoever changes the environment next writes what is missing, in the same bytes.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from windlass.delivery.history.chain import chain_faults, read_record, record_of
from windlass.delivery.history.states import STATE_NAME, copy_key, load_current, load_named, pointer_key
from windlass.delivery.release.archive import digest_of
from windlass.delivery.side_by_side import side_by_side
from windlass.spec.errors import DeliveryError
from windlass.spec.state import LedgerRecord, State, ledger_key
from windlass.spec.store import Conflict, Missing, Store

Progress = Callable[[str], None]
_SERIAL = re.compile(r"[1-9][0-9]{0,8}")


def add_record(store: Store, prefix: str, state: State, before: str | None) -> str:
    """Writes the record of `state` after the one of the SHA-256 `before`; the SHA-256 of what is there then."""
    content, key = record_of(state, before).to_json(), ledger_key(prefix, state.serial)
    try:
        store.put(key, content, if_absent=True)
    except Conflict:  # somebody else completed it at the same time, in the same bytes
        content = store.get(key).content
    return digest_of(content)


def ledger_end(store: Store, prefix: str, live: State | None) -> str | None:
    """Completes the ledger up to `live`; the SHA-256 of the last record, which the next one names."""
    waiting: list[State] = []
    state, before = live, None
    while state is not None:
        found = _find(store, prefix, state.serial)
        if found is not None:
            before = digest_of(found)
            break
        waiting.append(state)
        state = load_named(store, prefix, state.previous) if state.previous else None
    for state in reversed(waiting):
        before = add_record(store, prefix, state, before)
    return before


def newest_first(
    store: Store, prefix: str, live: State | None, at_once: int = 16
) -> Iterator[tuple[int, LedgerRecord | str]]:
    """Each serial from the live one down with its record, or with what is wrong: `at_once` requests side by side."""
    top = live.serial if live else 0
    for newest in range(top, 0, -at_once):
        serials = range(newest, max(newest - at_once, 0), -1)
        contents = side_by_side(lambda serial: _find(store, prefix, serial), serials)
        for serial, content in zip(serials, contents, strict=True):
            yield serial, _readable(prefix, serial, content)


@dataclass(frozen=True)
class History:
    """The records of an environment, oldest first; what is wrong with them; and the states of the chain, by serial."""

    records: list[LedgerRecord]
    faults: list[str]
    states: Mapping[int, State]


def read_history(store: Store, prefix: str, *, check: bool, progress: Progress = lambda message: None) -> History:
    """All records; with `check`, whatever is missing, altered or does not fit the chain of states up to `state.json`.

    That is one listing, and one request for each record and each state, many of them side by side.
    """
    # Listed before the pointer is read: what a deployment adds meanwhile is no record beyond the live state then.
    listed = list(store.list(f"{prefix}/ledger/")) if check else []
    faults: list[str] = []
    live = _live(store, prefix, faults if check else None)
    top = live.serial if live else _last(prefix, listed)
    progress(f"reading {top} records of {prefix}/ledger/")
    contents = _contents(store, prefix, range(1, top + 1))
    read = {serial: _readable(prefix, serial, contents.get(serial)) for serial in range(1, top + 1)}
    records = {serial: record for serial, record in read.items() if isinstance(record, LedgerRecord)}
    if not check:
        return History(list(records.values()), [fault for fault in read.values() if isinstance(fault, str)], {})
    if listed and not live and not faults:
        faults.append(f"{pointer_key(prefix)} is missing, and there are {len(listed)} records in {prefix}/ledger/")
    progress(f"reading {top} states of {prefix}/states/")
    states = _chain(store, prefix, top, live, records, faults)
    if top and top not in contents:  # its deployment may have ended meanwhile
        contents |= _contents(store, prefix, [top])
    faults += chain_faults(prefix, top, contents, states)
    own = {ledger_key(prefix, serial) for serial in range(1, top + 1)}
    last = live.name if live else f"{top}"
    faults += [f"{key} is no record of a state up to the live one, {last}" for key in listed if key not in own]
    return History(list(records.values()), faults, states)


def _live(store: Store, prefix: str, faults: list[str] | None) -> State | None:
    """The live state; one that cannot be read is a fault where those are collected."""
    try:
        return load_current(store, prefix).state
    except DeliveryError as error:
        if faults is None:
            raise
        faults.append(str(error))
        return None


def _last(prefix: str, listed: list[str]) -> int:
    """Without a live state: the last serial that is listed, unless somebody made up a far one."""
    names = [key.removeprefix(f"{prefix}/ledger/").removesuffix(".json") for key in listed]
    serials = [int(name) for name in names if _SERIAL.fullmatch(name)]
    return max((serial for serial in serials if serial <= 2 * len(serials)), default=0)


def _chain(
    store: Store,
    prefix: str,
    top: int,
    live: State | None,
    records: Mapping[int, LedgerRecord],
    faults: list[str],
) -> dict[int, State]:
    """The state of each serial, as the one after it names it; where that one is lost, as the ledger names it."""

    def load(name: str) -> State | str:
        try:
            return load_named(store, prefix, name)
        except DeliveryError as error:
            return str(error)

    names = [record.state for record in records.values() if STATE_NAME.fullmatch(record.state)]
    loaded = dict(zip(names, side_by_side(load, names), strict=True))
    chain: dict[int, State] = {}
    wanted = live.name if live else None
    for serial in range(top, 0, -1):
        name = wanted or (records[serial].state if serial in records else "")
        wanted = None
        if not STATE_NAME.fullmatch(name):
            continue
        state = loaded[name] if name in loaded else load(name)
        if isinstance(state, str):
            faults.append(f"{ledger_key(prefix, serial)}: {state}")
            state = live if live and live.name == name else state
        elif not _is_in_place(serial, state):
            faults.append(
                f"{copy_key(prefix, name)} has no place in the chain of states: before it is {state.previous}"
            )
            continue
        if isinstance(state, State):
            chain[serial] = state
            wanted = state.previous
    return chain


def _is_in_place(serial: int, state: State) -> bool:
    """Whether the state has this serial and follows one with the serial before it."""
    before = state.previous.partition("-")[0] if state.previous else "0"
    return (state.serial, before) == (serial, str(serial - 1))


def _contents(store: Store, prefix: str, serials: Sequence[int]) -> dict[int, bytes]:
    found = zip(serials, side_by_side(lambda serial: _find(store, prefix, serial), serials), strict=True)
    return {serial: content for serial, content in found if content is not None}


def _readable(prefix: str, serial: int, content: bytes | None) -> LedgerRecord | str:
    key = ledger_key(prefix, serial)
    if content is None:
        return f"{key} is missing"
    try:
        return read_record(key, content)
    except DeliveryError as error:
        return str(error)


def _find(store: Store, prefix: str, serial: int) -> bytes | None:
    try:
        return store.get(ledger_key(prefix, serial)).content
    except Missing:
        return None
