"""What a mapped task runs for: the items that another task left."""

from collections.abc import Mapping
from typing import Any

from .errors import RuntimeStop
from .item_list import MOST_BYTES, items_in


def items_of(name: str, value: Any) -> list[Any]:
    """The items: those of a list, files or plain ones, or what the list in one `.json` file holds."""
    from .transfer import reference

    if isinstance(value, list):
        return [each if isinstance(each, (str, int, float)) else _plain(reference(name, each)) for each in value]
    file = reference(name, value)
    if not str(file["name"]).endswith(".json"):
        raise RuntimeStop(
            f"for_each {name!r}: {file['name']!r} is one file; give a list of files, or a .json file with a list"
        )
    if int(file["size"]) > MOST_BYTES:
        raise RuntimeStop(
            f"for_each {name!r}: {file['name']!r} has {file['size']} bytes, at most {MOST_BYTES} are read"
        )
    return items_in(name, _content(str(file["key"])))


def _plain(file: Mapping[str, Any]) -> dict[str, Any]:
    return {key: file[key] for key in ("key", "sha256", "size", "name")}


def _content(key: str) -> bytes:
    from .settings import read_settings
    from .storage import Storage

    settings = read_settings()
    return b"".join(Storage(settings.endpoint).chunks(settings.data, key))
