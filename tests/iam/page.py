"""Reads the documents out of docs/iam.md: the tests run with what a person would paste."""

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs/iam.md"
BLOCK = re.compile(r"<!-- document: ([a-z-]+) -->\n\n?```json\n(.*?)\n```", re.DOTALL)


def documents(kind: str = "") -> dict[str, dict[str, Any]]:
    """The page's documents by name; with `kind`, those whose names begin so, without that beginning."""
    found = {name: json.loads(text) for name, text in BLOCK.findall(PAGE.read_text())}
    return {name.removeprefix(kind): text for name, text in found.items() if name.startswith(kind)}


def identity() -> dict[str, dict[str, Any]]:
    """The documents that are attached to a role or a user."""
    others = ("trust-", "bucket-", "lifecycle-")
    return {name: text for name, text in documents().items() if not name.startswith(others)}
