"""Values of a pipeline that stand for a file beside it: `docs: docs/x.md` and arguments like `{file: sql/x.sql}`."""

from collections.abc import Mapping
from typing import Any

FILE = "file"


def is_file(value: Any) -> bool:
    """Whether an argument's value stands for the text of a file: `{file: sql/clients.sql}`."""
    return isinstance(value, Mapping) and value.keys() == {FILE} and isinstance(value[FILE], str)


def is_path(docs: str) -> bool:
    """Whether `docs` is the path of a Markdown file, and not the text itself."""
    return "\n" not in docs and docs.endswith(".md")
