"""Values of a pipeline that stand for a file beside it: `docs: docs/x.md`, `sql: sql/x.sql`, `{file: conf/x.json}`."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

FILE = "file"
_ENDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType({"sql": (".sql",), "bash_command": (".sh", ".bash")})
"""By the names of arguments what their files end in: those for which operators of Airflow take files too."""
_SPACE = re.compile(r"\s")


def endings_of(argument: str) -> tuple[str, ...]:
    """The endings by which a text for an argument of this name is a file's path, whatever the operator."""
    return _ENDINGS["sql"] if argument.endswith("_sql") else _ENDINGS.get(argument, ())


def is_file(value: Any) -> bool:
    """Whether an argument's value stands for the text of a file: `{file: sql/clients.sql}`."""
    return isinstance(value, Mapping) and value.keys() == {FILE} and isinstance(value[FILE], str)


def is_short(value: Any, endings: tuple[str, ...]) -> bool:
    """Whether an argument's value is a file's path and can be nothing else: one word with such an ending.

    >>> is_short("sql/clients.sql", (".sql",)), is_short("select 1 from a.sql", (".sql",))
    (True, False)
    """
    return bool(endings) and isinstance(value, str) and value.endswith(endings) and not _SPACE.search(value)


def with_files(value: Any, endings: tuple[str, ...]) -> Any:
    """An argument's value with `{file: PATH}` where it is, or is a list with, a file's path."""
    if is_short(value, endings):
        return {FILE: value}
    return [with_files(item, endings) for item in value] if isinstance(value, list) and endings else value


def is_path(docs: str) -> bool:
    """Whether `docs` is the path of a Markdown file, and not the text itself."""
    return "\n" not in docs and docs.endswith(".md")
