"""What a rule is about, in the words of its own documentation."""

from windlass.lint.reading import READING
from windlass.lint.rules import RULES
from windlass.spec.errors import WindlassError
from windlass.spec.problem import near


def rule_names() -> list[str]:
    """All rules, sorted."""
    return sorted({*READING, *(rule.NAME for rule in RULES)})


def explanation(name: str) -> str:
    """The rule's documentation: its sentence, and what more there is to say."""
    for rule in RULES:
        if name == rule.NAME:
            return (rule.__doc__ or "").strip()
    if name not in READING:
        raise WindlassError(f"there is no rule {name!r}{near(name, rule_names())}")
    return READING[name]


def summary(name: str) -> str:
    """The first sentence of the rule's documentation."""
    return " ".join(explanation(name).split("\n\n")[0].split())
