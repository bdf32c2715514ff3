"""Reads and writes the state of an environment: the pointer `state.json` and the immutable copies beside it."""

import re
from dataclasses import dataclass

from windlass.delivery.release.archive import digest_of
from windlass.spec.errors import DeliveryError, ServiceError
from windlass.spec.state import State, read_state
from windlass.spec.store import Conflict, Missing, Object, Store

STATE_NAME = re.compile(r"[1-9][0-9]{0,8}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Current:
    """The state that is live and the etag that its successor must name; both None before the first promotion."""

    state: State | None
    etag: str | None


def pointer_key(prefix: str) -> str:
    """Where the one mutable object of an environment is kept."""
    return f"{prefix}/state.json"


def copy_key(prefix: str, name: str) -> str:
    """Where the immutable copy of the state `name` is kept."""
    return f"{prefix}/states/{name}.json"


def load_current(store: Store, prefix: str) -> Current:
    """The live state of the environment at `prefix`."""
    try:
        found = store.get(pointer_key(prefix))
    except Missing:
        return Current(None, None)
    return Current(checked_state(found, pointer_key(prefix)), found.etag)


def load_named(store: Store, prefix: str, name: str) -> State:
    """The state `name`; DeliveryError when there is none or when it was altered."""
    key = copy_key(prefix, name)
    try:
        found = store.get(key)
    except Missing as missing:
        raise DeliveryError(f"there is no state {name!r}: {key} is missing") from missing
    state = checked_state(found, key)
    if state.name != name:
        raise DeliveryError(f"{key} was altered: its content has the name {state.name}")
    return state


def keep_copy(store: Store, prefix: str, state: State) -> None:
    """Writes the immutable copy of `state`, once; DeliveryError when something else lies there.

    A bucket's policy may forbid to write it twice.
    """
    try:
        store.put(copy_key(prefix, state.name), state.to_json(), if_absent=True)
    except Conflict:
        load_named(store, prefix, state.name)  # our own write, whose answer got lost


def checked_state(found: Object, where: str) -> State:
    """The state in an object; DeliveryError unless its bytes are exactly those that windlass would write."""
    state = read_state(found.content, where)
    if digest_of(state.to_json()) != digest_of(found.content):
        raise DeliveryError(f"{where} was altered: it is not in the form in which windlass writes states")
    return state


def require_preconditions(store: Store, prefix: str) -> None:
    """ServiceError when the store ignores If-None-Match or If-Match: two promotions at once could undo each other."""
    require_if_absent(store, prefix)
    require_if_match(store, prefix)


def require_if_absent(store: Store, prefix: str) -> None:
    """ServiceError when the store ignores If-None-Match, on which the first `state.json` depends."""
    key = _probe_key(prefix)
    try:
        store.put(key, b"windlass tries here whether this store honours preconditions\n", if_absent=True)
        store.put(key, b"this store ignores If-None-Match\n", if_absent=True)
    except Conflict:
        return
    raise _ignored("If-None-Match", prefix)


def require_if_match(store: Store, prefix: str) -> None:
    """ServiceError when the store ignores If-Match, on which every later `state.json` depends."""
    try:
        store.put(_probe_key(prefix), b"this store ignores If-Match\n", if_match='"00000000000000000000000000000000"')
    except Conflict:
        return
    raise _ignored("If-Match", prefix)


def _probe_key(prefix: str) -> str:
    return f"{prefix}/.preconditions"


def _ignored(condition: str, prefix: str) -> ServiceError:
    return ServiceError(
        f"the S3 store ignores {condition} on PUT (tried with {_probe_key(prefix)}), "
        f"so it cannot hold {pointer_key(prefix)}: two deployments at once could undo each other; "
        "use AWS S3, MinIO, Ceph or another store that honours it"
    )
