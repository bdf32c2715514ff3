"""The rules that hold when a file is read, before any other can look at it, and the one about ignore comments."""

from collections.abc import Mapping
from types import MappingProxyType

READING: Mapping[str, str] = MappingProxyType(
    {
        "syntax": """The file is YAML: UTF-8, one document, not too large or too deep, without tags, inside the project.

Aliases count with what they stand for: one that explodes into more than 50,000 values is refused.""",
        "schema": """Each value has the right type, and no key that must be there is missing.""",
        "unknown-key": """Each key is part of the language; nothing is ever dropped in silence.""",
        "duplicate-key": """No key is given twice in one mapping; YAML readers would keep one of them.""",
        "yaml-surprise": """What stands without quotes means the same to all readers.

Those of YAML 1.1 and 1.2 disagree about `no`, `on`, `1.10`, `12:30`, `0777` and `1e3`; `windlass lint --fix` quotes
them.""",
        "ignore-comment": """A comment `# windlass: ignore[rule] reason` names a rule, says why, and is needed.

It takes the problems of that rule back. It stands on the problem's line, or alone on the line above. Several rules are
separated by commas. A rule whose breach could not be rendered, or would not run, cannot be ignored.""",
    }
)
"""What each of them says, by its name; the rules that have a module say it in their docstring."""
