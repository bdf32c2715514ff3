"""A rollback: the whole command, and how long until the state is swapped, with few and with many states behind it.

Where other projects were deployed since, their states lie between the live release and the one before it.
"""

import time

from bench.landscape import BUCKET, Landscape
from bench.promotion import WAIT, timed, windlass, write_environments
from bench.releases import PROJECT, deliver, project_files
from bench.report import figure, table, write_part
from windlass.delivery.history.ledger import ledger_end
from windlass.delivery.history.states import copy_key, load_current, load_named, pointer_key
from windlass.delivery.place import Place

CASES, FILES, SIZE, ROUNDS = ((10, 0), (100, 0), (100, 100)), 400, 7_500, 5
"""States behind it, and how many of them are deployments of other projects since the release before was live."""


def measure(land: Landscape, rounds: int = ROUNDS) -> None:
    """Measures and writes the part of the page."""
    from windlass.adapters.s3 import open_bucket

    write_environments(land, "history")
    store = open_bucket(BUCKET, land.server)
    place = Place("dev", "history-dev", store, store)
    for number, changed in enumerate(("one", "two")):
        deliver(place, BUCKET, project_files(FILES - 3, 0, SIZE, changed), f"{number:040}")
    rows: list[tuple[object, ...]] = []
    for states, others in CASES:
        _lengthen(place, states)
        _lengthen_by_others(place, others)
        whole: list[tuple[int, float]] = []
        swaps: list[tuple[int, float]] = []
        for found, act in [(whole, _command), (swaps, _until_swapped)] * rounds:
            found.append(act(land))
            _lengthen(place, 1)
            _lengthen_by_others(place, others)
        for what, found in (("whole command", whole), ("until the state is swapped", swaps)):
            requests, seconds = zip(*found, strict=True)
            rows.append((states, others, what, figure(requests, ""), figure(seconds)))
    head = (
        "states behind it",
        "of others since",
        "`windlass rollback dev --no-verify`",
        "requests",
        "seconds, median (range)",
    )
    write_part(
        "rollback",
        f"""To the release before, of {FILES} files and 3 MB; {WAIT} ms added to each request; {rounds} rounds, each of
which adds a few states. `until the state is swapped` counts from the first request, in a process that runs already.

{table(head, rows)}""",
    )


def _lengthen(place: Place, states: int) -> None:
    """Goes to and fro between the two releases, without the rest of a promotion, until `states` is surpassed."""
    live = load_current(place.code, place.prefix).state
    assert live is not None
    other = load_named(place.code, place.prefix, live.previous or "")
    while other.projects == live.projects:
        other = load_named(place.code, place.prefix, other.previous or "")
    first = True
    while first or live.serial < states:
        first = False
        change = live.deployment.model_copy(
            update={
                "action": "promote",
                "release": other.projects[PROJECT].release,
                "commit": other.projects[PROJECT].commit,
            }
        )
        news = {"serial": live.serial + 1, "previous": live.name, "projects": other.projects, "deployment": change}
        live, other = live.model_copy(update=news), live
        place.code.put(copy_key(place.prefix, live.name), live.to_json())
        place.code.put(pointer_key(place.prefix), live.to_json())
        ledger_end(place.code, place.prefix, live)


def _lengthen_by_others(place: Place, states: int) -> None:
    """Adds states in which nothing of the project changes."""
    live = load_current(place.code, place.prefix).state
    assert live is not None
    for _ in range(states):
        change = live.deployment.model_copy(update={"action": "promote", "project": "other"})
        live = live.model_copy(update={"serial": live.serial + 1, "previous": live.name, "deployment": change})
        place.code.put(copy_key(place.prefix, live.name), live.to_json())
        place.code.put(pointer_key(place.prefix), live.to_json())
        ledger_end(place.code, place.prefix, live)


def _command(land: Landscape) -> tuple[int, float]:
    return timed(land, lambda: windlass(land, "history", "rollback", "dev", "--no-verify"))


def _until_swapped(land: Landscape) -> tuple[int, float]:
    """The requests of the whole rollback, and the seconds until the swap."""
    from windlass.adapters.s3 import open_bucket
    from windlass.delivery.plan.plan import Origin
    from windlass.delivery.promotion.perform import Author, perform
    from windlass.delivery.promotion.survey import deciding_rollback, load_release
    from windlass.delivery.release.find import lived

    store = open_bucket(BUCKET, land.proxy)
    place = Place("dev", "history-dev", store, store)
    live = load_current(store, place.prefix).state
    assert live is not None
    swapped: list[float] = []

    def note(line: str) -> None:
        if " is at state " in line:
            swapped.append(time.perf_counter())

    land.wait(WAIT)
    began = time.perf_counter()
    earlier = lived(place, PROJECT, "previous")
    release = load_release(place, PROJECT, earlier.release)
    decide = deciding_rollback(place, live.environment, release, Origin(earlier.commit))
    perform(decide, place, place, Author(), progress=note)
    return land.count(), swapped[0] - began
