"""Environments with a long history, made without any promotion."""

from datetime import UTC, datetime, timedelta

from tests.fakes.memory_store import MemoryStore
from tests.fakes.releases import SETTINGS, make_release
from windlass.delivery.history.ledger import ledger_end
from windlass.delivery.history.states import copy_key, pointer_key
from windlass.spec.release import Provenance, provenance_key, release_key
from windlass.spec.state import Deployment, ProjectState, State
from windlass.spec.store import Store

BEGIN = datetime(2026, 11, 1, 10, tzinfo=UTC)


def chain_of(length: int, releases: int = 3, store: Store | None = None) -> MemoryStore:
    """A store in which `dev` had `length` deployments, one an hour, of `releases` releases in turn."""
    kept = MemoryStore() if store is None else store
    archives = [make_release("digits", {"read": str(number)}) for number in range(releases)]
    for number, archive in enumerate(archives):
        commit = f"{number:040x}"
        kept.put(release_key("dev", "digits", archive.digest), archive.content)
        record = Provenance(
            project="digits", release=archive.digest, commit=commit, built_at="2026-11-01T09:00:00Z", tool_version="0"
        )
        kept.put(provenance_key("dev", "digits", archive.digest, commit), record.to_json())
    state: State | None = None
    for serial in range(1, length + 1):
        state = _next(state, serial, archives[serial % releases].digest, f"{serial % releases:040x}")
        kept.put(copy_key("dev", state.name), state.to_json())
        kept.put(pointer_key("dev"), state.to_json())
        ledger_end(kept, "dev", state)
    return kept


def _next(before: State | None, serial: int, release: str, commit: str) -> State:
    at = (BEGIN + timedelta(hours=serial)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return State(
        serial=serial,
        previous=before.name if before else None,
        environment=SETTINGS,
        projects={"digits": ProjectState(release=release, commit=commit)},
        deployment=Deployment(action="promote", project="digits", release=release, commit=commit, actor="ann", at=at),
    )
