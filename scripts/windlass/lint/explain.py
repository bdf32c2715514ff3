"""What a rule is about, in the words of its own documentation."""

from windlass.lint.loading import LOADING
from windlass.lint.reading import READING
from windlass.lint.rules import RULES
from windlass.spec.errors import WindlassError
from windlass.spec.problem import near

_PAGES = {"rules": "docs/rules.md#{}", "check": "docs/editors.md#loading-the-dags-in-the-real-airflow"}


def rule_names() -> list[str]:
    """All rules, sorted; those of `windlass check` too."""
    return sorted({*READING, *LOADING, *(rule.NAME for rule in RULES)})


def explanation(name: str) -> str:
    """The rule's documentation: its sentence, and what more there is to say."""
    for rule in RULES:
        if name == rule.NAME:
            return (rule.__doc__ or "").strip()
    if name not in rule_names():
        raise WindlassError(f"there is no rule {name!r}{near(name, rule_names())}")
    return {**READING, **LOADING}[name]


def page(name: str) -> str:
    """Where more is said of the rule."""
    return _PAGES["check" if name in LOADING else "rules"].format(name)


def summary(name: str) -> str:
    """The first sentence of the rule's documentation."""
    return " ".join(explanation(name).split("\n\n")[0].split())
