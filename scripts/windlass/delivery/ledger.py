"""The ledger: one immutable record per state, each with the hash of the record before it.

A record follows from its state and the record before, so a crash between the swap of `state.json` and the record loses
nothing: whoever changes the environment next writes what is missing, in the same bytes.
"""

from dataclasses import dataclass

from pydantic import ValidationError

from windlass.delivery.archive import digest_of
from windlass.delivery.states import load_current, load_named
from windlass.spec.errors import DeliveryError
from windlass.spec.state import LedgerRecord, State
from windlass.spec.store import Conflict, Missing, Store


def ledger_key(prefix: str, serial: int) -> str:
    """Where the record of the state number `serial` is kept."""
    return f"{prefix}/ledger/{serial}.json"


def complete_ledger(store: Store, prefix: str, live: State | None) -> int:
    """Writes the records that are missing up to `live`; the number of records written."""
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
        record = LedgerRecord(serial=state.serial, state=state.name, deployment=state.deployment, previous=before)
        content, key = record.to_json(), ledger_key(prefix, state.serial)
        try:
            store.put(key, content, if_absent=True)
        except Conflict:  # somebody else completed it at the same time, in the same bytes
            content = store.get(key).content
        before = digest_of(content)
    return len(waiting)


@dataclass(frozen=True)
class History:
    """The records of an environment, oldest first, and what is wrong with their chain."""

    records: list[LedgerRecord]
    faults: list[str]


def read_history(store: Store, prefix: str, *, check: bool) -> History:
    """All records; with `check`, whatever is missing, altered or does not fit the state that it is about."""
    live = load_current(store, prefix).state
    records: list[LedgerRecord] = []
    faults: list[str] = []
    before: str | None = None
    gap = False
    for serial in range(1, (live.serial if live else 0) + 1):
        key = ledger_key(prefix, serial)
        content = _find(store, prefix, serial)
        if content is None:
            faults.append(f"{key} is missing")
            gap = True
            continue
        record = _read(key, content)
        if check:
            faults += _check(store, prefix, serial, record, record.previous if gap else before)
            if digest_of(record.to_json()) != digest_of(content):
                faults.append(f"{key} was altered: it is not in the form in which windlass writes records")
        before, gap = digest_of(content), False
        records.append(record)
    if check and live and records and records[-1].serial == live.serial and records[-1].state != live.name:
        faults.append(f"{ledger_key(prefix, live.serial)} is about state {records[-1].state}, and {live.name} is live")
    return History(records, faults)


def _check(store: Store, prefix: str, serial: int, record: LedgerRecord, before: str | None) -> list[str]:
    key, faults = ledger_key(prefix, serial), []
    if record.serial != serial:
        faults.append(f"{key} has the serial {record.serial}: records were reordered")
    if record.previous != before:
        faults.append(f"{key} does not follow the record before it: one of the two was altered or replaced")
    try:
        state = load_named(store, prefix, record.state)
    except DeliveryError as error:
        faults.append(f"{key}: {error}")
    else:
        if (state.serial, state.deployment) != (serial, record.deployment):
            faults.append(f"{key} tells another story than state {record.state}")
    return faults


def _find(store: Store, prefix: str, serial: int) -> bytes | None:
    try:
        return store.get(ledger_key(prefix, serial)).content
    except Missing:
        return None


def _read(key: str, content: bytes) -> LedgerRecord:
    try:
        return LedgerRecord.model_validate_json(content)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        raise DeliveryError(f"{key} cannot be read: {'.'.join(map(str, detail['loc']))}: {detail['msg']}") from error
