"""Runs every check: what is as it should be, what is not, and what could not be looked at."""

from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from windlass.doctor.checks import CHECKS
from windlass.doctor.examined import Examined
from windlass.spec.project_settings import NotSeen


@dataclass(frozen=True)
class Result:
    """What a check found: sentences about what is wrong, and why it could not look at everything, if so."""

    check: str
    place: str
    severity: str
    problems: tuple[str, ...]
    unseen: str | None
    menu: str
    api: str

    @property
    def state(self) -> str:
        """`error` or `warning`, `unseen`, or `fine`."""
        return self.severity if self.problems else "unseen" if self.unseen else "fine"

    @property
    def page(self) -> str:
        """Where more is said of the check."""
        return f"docs/doctor.md#{self.check}"

    def to_json(self) -> dict[str, Any]:
        """The result for a machine."""
        return {**asdict(self), "state": self.state, "page": self.page}


def examine(examined: Examined) -> list[Result]:
    """The result of each check, in the order of CHECKS."""
    return [_result(check, examined) for check in CHECKS]


def is_well(results: list[Result]) -> bool:
    """Whether no error was found; warnings and what could not be seen leave it well."""
    return not any(result.state == "error" for result in results)


def _result(check: ModuleType, examined: Examined) -> Result:
    problems: list[str] = []
    unseen = None
    try:
        for sentence in check.check(examined):  # one by one: what was seen before a NotSeen counts
            problems.append(sentence)
    except NotSeen as reason:
        unseen = reason.reason
    return Result(check.NAME, check.PLACE, check.SEVERITY, tuple(problems), unseen, check.MENU, check.API)
