"""Values of any origin as short text in one line: no control characters, no secrets, the place where they differ."""

import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

_LONGEST = 60
_KEPT = 12
_SECRET = re.compile(
    r"(?i:passw|passphrase|secret|credential|authorization)"
    r"|(?i:(?:^|[_./-])(?:token|pwd|(?:api|private|access)[_-]?key)(?:$|[_./-]))"
    r"|[a-z0-9](?:Token|Pwd|(?:Api|Private|Access)Key)$"
)
_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_PLAIN = re.compile(r"[^\s\"'](.*[^\s\"'])?")
_READS_AS_OTHER = re.compile(r"[-+]?[0-9.][0-9.eE+_-]*|true|false|null|[\[{].*")
HIDDEN = "(hidden)"


class Absent(Enum):
    """Stands for a value that is not there, which is not the same as null."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent.ABSENT


def without_secrets(key: str, value: Any) -> Any:
    """`value` as it may be shown: what a key calls a secret is hidden, and so is the account in an address."""
    if value is not ABSENT and _SECRET.search(key) and value is not None:
        return HIDDEN
    if isinstance(value, str):
        return _IN_ADDRESS.sub("***", value)
    if isinstance(value, Mapping):
        return {name: without_secrets(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_secrets("", item) for item in value]
    return value


def one_line(text: str) -> str:
    """`text` with every character that does not print as its escape."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def shown(value: Any) -> str:
    """The value in one line, however long; text stands without quotes where nobody takes it for something else."""
    if value is ABSENT:
        return "(none)"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.isprintable() and not _READS_AS_OTHER.fullmatch(value)
        if plain and " -> " not in value and value != "(none)":
            return value
    return one_line(json.dumps(value, ensure_ascii=False, sort_keys=True))


def short(text: str, longest: int = _LONGEST) -> str:
    """`text`, cut at its end where it is too long."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def pair(before: Any, after: Any, longest: int = _LONGEST) -> tuple[str, str]:
    """Both values, short, and from shortly before the first place where they differ."""
    old, new = shown(before), shown(after)
    start = 0
    if max(len(old), len(new)) > longest:
        same = next((i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), None)
        same = min(len(old), len(new)) if same is None else same
        start = max(0, same - _KEPT)
    cut = "…" if start else ""
    return short(cut + old[start:], longest), short(cut + new[start:], longest)


def field_name(path: Sequence[str]) -> str:
    """`job.execution_time`; a part with dots or other signs in it is quoted, so that two fields never look the same."""
    return ".".join(part if re.fullmatch(r"[\w-]+", part) else one_line(json.dumps(part)) for part in path)
