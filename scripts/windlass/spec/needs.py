"""What pipelines ask of the environment that they run in: flavors, images, and names of objects in its Airflow.

The names that an operator's defaults bring in are not seen here, nor are those that Python code makes up. What is read
may come from any release, so a value may be anything.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windlass.spec.release import Requires
    from windlass.spec.resolved import Resolved

_DEFAULT_POOL = "default_pool"
_MARKS = (("{{", "}}"), ("{%", "%}"))
_NAME = r"(?:\.(?!get\b)(?P<dotted>[A-Za-z_]\w*)|(?:\.get\(|\[)\s*(?P<mark>['\"])(?P<quoted>[^'\"]+)(?P=mark)\s*[)\]])"
"""`.x`, `["x"]` or `.get("x")`; a `get` with a default value needs nothing."""
_VARIABLE = re.compile(r"(?<![\w.])var\.(?:value|json)" + _NAME)
_CONNECTION = re.compile(r"(?<![\w.])conn" + _NAME)


def requires_of(pipelines: "Iterable[Resolved]") -> "Requires":
    """All that the pipelines name, each list sorted."""
    from windlass.spec.release import Requires  # lint, which asks for single names, needs none of it

    found: dict[str, set[str]] = {kind: set() for kind in Requires.model_fields}
    for pipeline in pipelines:
        for kind, name in _named(pipeline):
            if isinstance(name, str) and name and not any(_insides(name)):
                found[kind].add(name)
    found["pools"].discard(_DEFAULT_POOL)
    return Requires(**{kind: sorted(names) for kind, names in found.items()})


def _named(pipeline: "Resolved") -> Iterator[tuple[str, Any]]:
    """Each kind of thing with what stands where its name does."""
    yield "pools", pipeline.dag.get("pool")
    for task in pipeline.tasks.values():
        job = task.get("job")
        if isinstance(job, Mapping):
            yield "images", job.get("docker_image")
            yield "flavors", job.get("resource_flavor") or pipeline.dag.get("base_resource")
        for key, value in task.items():
            if key == "connection" or key.endswith("conn_id"):
                yield "connections", value
        yield "pools", task.get("pool")
        yield from (named for text in _texts(task) for named in named_in(text))


def named_in(text: str) -> Iterator[tuple[str, str]]:
    """The connections and variables that Airflow's templates in a text ask for: `("variables", "limit")`."""
    for code in _insides(text):
        yield from (("connections", name) for name in _names(_CONNECTION, code))
        yield from (("variables", name) for name in _names(_VARIABLE, code))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _insides(text: str) -> Iterator[str]:
    """What stands between Jinja's marks; no regular expression, which would take for ever where none is closed."""
    for opening, closing in _MARKS:
        start = text.find(opening)
        while start >= 0 and (end := text.find(closing, start + 2)) >= 0:
            yield text[start + 2 : end]
            start = text.find(opening, end + 2)


def _names(pattern: re.Pattern[str], code: str) -> set[str]:
    return {match["dotted"] or match["quoted"] for match in pattern.finditer(code)}
