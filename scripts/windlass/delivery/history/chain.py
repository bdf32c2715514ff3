"""Says what is wrong with a ledger, from its bytes and the states that it is about: nothing is read here.

A record follows from the states alone, so what each one must be is made again and compared byte by byte: there is no
change that this could overlook while the states are sound. Everything else here finds the words for a difference.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from windlass.delivery.release.archive import digest_of
from windlass.spec.errors import DeliveryError
from windlass.spec.state import LedgerRecord, State, ledger_key
from windlass.spec.stored import read_stored


@dataclass(frozen=True)
class _Due:
    """What the record before is: `made` is the SHA-256 of what it must be (None for the first), `there` of what it is.

    `is_known` is False behind a record that is missing and cannot be made again.
    """

    made: str | None = None
    there: str | None = None
    is_known: bool = True


def record_of(state: State, before: str | None) -> LedgerRecord:
    """The record of `state`; `before` is the SHA-256 of the record before it."""
    return LedgerRecord(serial=state.serial, state=state.name, deployment=state.deployment, previous=before)


def read_record(key: str, content: bytes) -> LedgerRecord:
    """The record in `content`; DeliveryError when it is none."""
    return read_stored(LedgerRecord, content, f"{key} cannot be read")


def chain_faults(prefix: str, top: int, records: Mapping[int, bytes], states: Mapping[int, State]) -> list[str]:
    """Every record up to the serial `top` that is missing, altered, moved or forged; none: the ledger is sound.

    `records` are the bytes that are there and `states` the chain of states, both by serial.
    """
    faults: list[str] = []
    rewritten: list[int] = []
    before = _Due()
    for serial in range(1, top + 1):
        content, state = records.get(serial), states.get(serial)
        due = record_of(state, before.made).to_json() if state and before.is_known else None
        if content is None:
            faults.append(_missing(prefix, serial, top))
            before = _Due(digest_of(due)) if due else _Due(is_known=False)
            continue
        if content != due and state and _follows(content, state, before):
            rewritten.append(serial)
        elif content != due:
            faults += _explain(prefix, serial, content, state, before)
        before = _Due(digest_of(due or content), digest_of(content))
    return faults + list(_tell_rewritten(prefix, rewritten))


def _follows(content: bytes, state: State, before: _Due) -> bool:
    """Whether the record only holds the hash of an altered one: it was written again to hide that."""
    return before.there is not None and content == record_of(state, before.there).to_json()


def _explain(prefix: str, serial: int, content: bytes, state: State | None, before: _Due) -> list[str]:
    """What is wrong with a record that is not what it must be; without its state, as far as that can be told."""
    key = ledger_key(prefix, serial)
    try:
        record = read_record(key, content)
    except DeliveryError as error:
        return [str(error)]
    if record.serial != serial:
        return [f"{key} has the serial {record.serial}: records were reordered"]
    faults: list[str] = []
    if state and record.state != state.name:
        faults.append(f"{key} is about state {record.state}, which never was live: state {serial} is {state.name}")
    elif state and record.deployment != state.deployment:
        faults.append(f"{key} tells another story than state {record.state}")
    if before.is_known and record.previous not in (before.made, before.there or before.made):
        faults.append(f"{key} does not follow the record before it: one of the two was altered or replaced")
    if record.to_json() != content:
        faults.append(f"{key} was altered: it is not in the form in which windlass writes records")
    return faults


def _missing(prefix: str, serial: int, top: int) -> str:
    key = ledger_key(prefix, serial)
    if serial < top:
        return f"{key} is missing"
    return f"{key} is missing: it was removed, or the deployment was interrupted and the next one writes it"


def _tell_rewritten(prefix: str, serials: list[int]) -> Iterator[str]:
    """One sentence for each run of records that were written again."""
    for position, serial in enumerate(serials):
        if position and serials[position - 1] == serial - 1:
            continue
        last = serial
        while last + 1 in serials[position:]:
            last += 1
        which = ledger_key(prefix, serial) + (f" to {last}.json" if last > serial else "")
        hold = "hold" if last > serial else "holds"
        yield f"{which} {hold} the hash of an altered record: written again after {serial - 1}.json was altered"
