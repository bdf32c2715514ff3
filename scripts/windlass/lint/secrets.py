"""What looks like a secret written in clear: by its form, or by its key and its randomness. Values are never shown."""

import math
import re
from collections import Counter
from typing import Any

_GITLAB = ("pat", "ptt", "rt", "dt", "soat", "cbt", "ft", "imt", "agent")
_GITHUB = "opusr"
_FORMS = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitLab token": rf"\bgl(?:{'|'.join(_GITLAB)})-[0-9A-Za-z_-]{{20,}}",
    "a GitHub token": rf"\b(?:gh[{_GITHUB}]_[0-9A-Za-z]{{36,}}|github_pat_[0-9A-Za-z_]{{22,}})",
    "a Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    "a private key": r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
    "a password in a URL": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"{}$<>]{0,100}:(?!\*+@)[^\s/@'\"{}$<>]{1,200}@",
}
_MARKS = (
    *("AKIA", "ASIA", "github_pat_", "xox", "-----BEGIN ", "://"),
    *(f"gl{kind}-" for kind in _GITLAB),
    *(f"gh{kind}_" for kind in _GITHUB),
)
"""Of which a text has one that has any of the forms: looking for these takes a tenth of the time."""
_FORM = re.compile("|".join(f"(?P<f{i}>{form})" for i, form in enumerate(_FORMS.values())))
_KEY = re.compile(r"(?i)(?:^|_|-)(?:token|secret|(?:api|access|private|secret|account)[_-]?key)$")
_PASSWORD = re.compile(r"(?i)(?:^|_|-)(?:password|passwd|pwd|passphrase)$")
_PLACED = re.compile(r"\$\{|\{\{|\$\[\[|\$[A-Z_]+\b|<[^>]*>")
"""A reference to a value that is somewhere else, or a gap to be filled in."""
_ASSIGNED = re.compile(
    r"(?i)(?:password|passwd|pwd|passphrase|token|secret|(?:api|access|private|secret|account)[_-]?key)[\"']?\s*[=:]\s*[\"']?(?P<value>[^\s\"',}]+)"
)
_RANDOM = re.compile(r"[A-Za-z0-9+/=_.~!@#%^&*-]{12,}")
_BITS = 3.0
"""Bits per character from which a text counts as random."""
_KEY_LENGTH = 32
"""Letters of both cases and digits, without a mark between words, of which no name has as many."""
_LONG = 8
"""Letters and digits from which a part of a name is no word with a number."""


def secret_form(text: str) -> tuple[str, int] | None:
    """What kind of secret is in the text, by its form, and where it begins; None when there is none."""
    match = _FORM.search(text) if any(mark in text for mark in _MARKS) else None
    if match is None:
        return None
    kind = list(_FORMS)[int(str(match.lastgroup)[1:])]
    return kind, match.start()


def without_secrets(text: str) -> str:
    """The text with `***` in place of whatever has the form of a secret."""
    return _FORM.sub("***", text)


def is_secret(key: str, value: str) -> bool:
    """Whether the text under a key is a secret: any password, and under keys like `token` what no person made up."""
    is_password = _PASSWORD.search(key) is not None
    if not is_password and _KEY.search(key) is None:
        return False
    return bool(value) and not is_placed(value) and (is_password or _is_random(value))


def holds_secret(key: str, value: Any) -> bool:
    """Whether a secret, by its form or by its key, is anywhere in the value under a key."""
    if isinstance(value, str):
        return is_secret(key, value) or secret_form(value) is not None
    if isinstance(value, dict):
        return any(holds_secret(str(name), item) for name, item in value.items())
    return isinstance(value, list) and any(holds_secret(key, item) for item in value)


def _is_random(value: str) -> bool:
    """Whether the text looks made by a machine; names of words and numbers, as secrets' names are, do not."""
    if not _RANDOM.fullmatch(value):
        return False
    if len(value) >= _KEY_LENGTH and all(re.search(kind, value) for kind in ("[a-z]", "[A-Z]", "[0-9]", "^[^-_.]+$")):
        return True
    parts = [part for part in re.split(r"[-_/.]", value) if len(part) >= _LONG and re.search("[0-9]", part)]
    shares = [count / len(value) for count in Counter(value).values()]
    return any(re.search("[A-Za-z]", part) for part in parts) and -sum(s * math.log2(s) for s in shares) >= _BITS


def is_placed(value: str) -> bool:
    """Whether the text only refers to a value: `${NAME}` or a template."""
    return _PLACED.search(value) is not None


def may_show_secret(line: str) -> bool:
    """Whether a line of a file should not be printed; rather one line too many than one too few."""
    return secret_form(line) is not None or any(not is_placed(each["value"]) for each in _ASSIGNED.finditer(line))
