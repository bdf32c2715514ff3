"""The stand-in's memory: one JSON file per collection, written whole and atomically; one writer at a time."""

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Store:
    """Collections of records under one folder, e.g. `projects` or `1/merge_requests`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)

    def records(self, collection: str) -> list[Record]:
        """All records of `collection` in the order in which they were made."""
        path = self._path(collection)
        if not path.exists():
            return []
        records: list[Record] = json.loads(path.read_text())
        return records

    def find(self, collection: str, wanted: Callable[[Record], bool]) -> Record | None:
        """The first record that is wanted, or None."""
        return next((record for record in self.records(collection) if wanted(record)), None)

    def add(self, collection: str, key: str, record: Record) -> Record:
        """The record as stored: `key` ("id" or "iid") gets the next number of its collection, never one twice."""
        with self.lock:
            records = self.records(collection)
            highest = self.find("counters", lambda counter: bool(counter["name"] == collection)) or {"last": 0}
            number = max((r[key] for r in records), default=0)
            record = {key: max(number, highest["last"]) + 1, **record}
            self._write(collection, [*records, record])
        return record

    def replace(self, collection: str, key: str, record: Record) -> Record:
        """Stores `record` in place of the one with the same `key`."""
        with self.lock:
            records = [record if r[key] == record[key] else r for r in self.records(collection)]
            self._write(collection, records)
        return record

    def remove(self, collection: str, key: str, record: Record) -> None:
        """Takes `record` out; its number is not given again."""
        with self.lock:
            counters = [c for c in self.records("counters") if c["name"] != collection]
            records = self.records(collection)
            last = max(r[key] for r in records)
            if not any(c["name"] == collection and c["last"] > last for c in self.records("counters")):
                self._write("counters", [*counters, {"name": collection, "last": last}])
            self._write(collection, [r for r in records if r[key] != record[key]])

    def _path(self, collection: str) -> Path:
        if not re.fullmatch(r"(\d+/)?[a-z_]+", collection):
            raise ValueError(f"not a collection: {collection!r}")
        return self.folder / f"{collection}.json"

    def _write(self, collection: str, records: list[Record]) -> None:
        path = self._path(collection)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps(records, indent=1))
        aside.replace(path)
