"""Has ReleaseBundle stage two states in the Airflow that is here, as the DAG processor and a task do; prints JSON.

Started as a script in a process of its own: `follow_bundle.py`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.fakes.memory_store import MemoryStore
from tests.fakes.releases import PREFIX, deliver, make_release
from windlass.airflow.bundle import ReleaseBundle


def bundle(store: MemoryStore, version: str | None = None) -> Any:
    made = ReleaseBundle(name="windlass", bucket="code", prefix=PREFIX, version=version)
    made._opened = store
    made.initialize()
    return made


def word(made: Any) -> str:
    return "one" if '"one"' in Path(made.path, "digits/dags/read.py").read_text() else "two"


store = MemoryStore()
first = deliver(store, {"digits": make_release("digits", {"read": "one"})})
live = bundle(store)
second = deliver(store, {"digits": make_release("digits", {"read": "two"})}, serial=2)
live.refresh()
current = live.get_current_version()
seen = {
    "live": word(live),
    "of the first run": word(bundle(store, first.name)),
    "is current": getattr(current, "version", current) == second.name,
    "kind": type(current).__name__,
}
sys.stdout.write("\n" + json.dumps(seen) + "\n")
