"""What a project cannot be called: the packages beside which Airflow runs it."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from windlass.spec.names import check_word
from windlass.spec.taken_names import TAKEN

FIRST = ("apache-airflow", "apache-airflow-providers-amazon", "apache-airflow-providers-standard", "boto3")


def brought(waiting: list[str]) -> Iterator[Distribution]:
    """What is installed here of these distributions and of those that they require."""
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        yield found
        waiting += [re.split(r"[^A-Za-z0-9._-]", line)[0] for line in found.requires or [] if "extra ==" not in line]


def modules(found: Distribution) -> Iterator[str]:
    for file in found.files or []:
        if len(file.parts) == 1 and file.suffix == ".py":
            yield file.stem
        elif len(file.parts) == 2 and file.name == "__init__.py":
            yield file.parts[0]


def is_word(name: str) -> bool:
    try:
        return bool(check_word(name))
    except ValueError:
        return False


def test_every_package_that_comes_with_airflow_is_on_the_list() -> None:
    found = {name for one in brought(list(FIRST)) for name in modules(one) if is_word(name)}
    assert len(found) > 80
    assert found <= TAKEN, "a project of such a name could not be imported; add it to spec/taken_names.py"
