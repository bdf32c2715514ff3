"""Makes one problem of those that several pipelines have at the same place of a template or of defaults."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from windlass.spec.problem import Problem


def folded(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Each problem once; where it stands in a file that pipelines share, it says which of them take it from there."""
    users: dict[Problem, set[str]] = {}
    for problem in problems:
        users.setdefault(problem, set()).update(problem.used_by)
    for problem, paths in users.items():
        if not paths:
            yield problem
            continue
        first, *others = sorted(paths)
        more = f" and {len(others)} more" if others else ""
        yield replace(problem, message=f"{problem.message} (used by {first}{more})", used_by=(first, *others))
