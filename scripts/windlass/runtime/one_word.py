"""The one word that decides something."""

MOST_BYTES = 1000
_NO = ("", "0", "false", "no", "off", "none", "null", "[]", "{}")


def is_yes(said: str) -> bool:
    """Whether a word that decides lets a task run."""
    return said.strip().lower() not in _NO
