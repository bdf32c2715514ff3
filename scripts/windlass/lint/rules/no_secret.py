"""No file holds a secret in clear: keys of AWS, tokens of GitLab, GitHub and Slack, private keys, passwords.

Comments are looked at too. A password is what stands under a key like `password` or in a URL; under keys like `token`,
`secret` or `api_key` it is what looks made by a machine. The value itself is never shown. Once it was pushed, it is
known: change it where it is valid, and let `${NAME}` in the environment's file take it from a CI/CD variable.
"""

from collections.abc import Iterator
from typing import Any

from windlass.lint.project import Project
from windlass.lint.secrets import is_secret, secret_form
from windlass.spec.document import Location
from windlass.spec.problem import Problem

NAME = "no-secret"
_ADVICE = "keep it in a connection or a CI/CD variable, and change it where it is valid"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each line with the form of a secret, and for each key with one; none shows the value."""
    documents = [*(file.document for file in project.pipelines), *(file.document for file in project.models)]
    documents += project.environment_documents.values()
    for document in (*documents, *(project.shelf.documents.values() if project.shelf else ())):
        lines = set()
        for number, line in enumerate(document.text.split("\n") if secret_form(document.text) else (), 1):
            if found := secret_form(line):
                lines.add(number)
                yield Problem(document.path, number, found[1] + 1, NAME, f"this is {found[0]}; {_ADVICE}")
        for location, key in _under_keys(document.value, (), ""):
            problem = document.problem(location, NAME, f"the value of {key!r} is a secret in clear; {_ADVICE}")
            if problem.line not in lines:
                yield problem


def _under_keys(value: Any, location: Location, key: str) -> Iterator[tuple[Location, str]]:
    """The place and the key of each secret; a walk of its own, as nothing of the file needs to fit the language."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _under_keys(item, (*location, name), name)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _under_keys(item, (*location, i), key)
    elif isinstance(value, str) and is_secret(key, value):
        yield location, key
