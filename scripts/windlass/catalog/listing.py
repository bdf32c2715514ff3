"""All operators that a project may use, for people to look at."""

from pathlib import Path

from windlass.catalog.operator import Operator
from windlass.catalog.read import STANDARD, read_catalog
from windlass.spec.errors import WindlassError
from windlass.spec.problem import Problem, near


def read_listed(project: Path, name: str | None = None) -> tuple[list[Operator], tuple[Problem, ...]]:
    """The operators by name, windlass's first, and what is broken among the project's own; or only the one `name`."""
    catalog = read_catalog(project, {path.stem for path in STANDARD.glob("*.py")})
    if name is None:
        return sorted(catalog.operators.values(), key=lambda found: (found.own, found.name)), catalog.problems
    if name not in catalog.operators:
        broken = next((problem for problem in catalog.problems if problem.path == f"operators/{name}.py"), None)
        raise WindlassError(str(broken) if broken else f"there is no operator {name!r}{near(name, catalog.operators)}")
    return [catalog.operators[name]], ()
