"""Which environments lack a thing that a job asks for."""

from collections.abc import Collection, Iterator, Mapping

from windlass.spec.problem import near


def not_declared(kind: str, name: str, declared: Mapping[str, Collection[str]]) -> Iterator[str]:
    """One sentence when some environment does not declare `name`; `declared` are the names by environment."""
    lacking = [environment for environment, names in declared.items() if name not in names]
    if lacking:
        everywhere = set.intersection(*(set(names) for names in declared.values()))
        where = ", ".join(repr(environment) for environment in lacking)
        plural = "s" if len(lacking) > 1 else ""
        yield f"{kind} {name!r} is not declared in environment{plural} {where}{near(name, everywhere)}"
