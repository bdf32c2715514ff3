"""Which names may be used: words that stay the same as a YAML key, a Python name, an S3 key and an Airflow id."""

import keyword
import re
from typing import Annotated

from pydantic import AfterValidator

from windlass.spec.review import is_review
from windlass.spec.taken_names import TAKEN

_WORD = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def check_word(value: str) -> str:
    """`value` itself when it is a lower-case word that Python may use as a name; ValueError otherwise."""
    if not _WORD.fullmatch(value) or keyword.iskeyword(value):
        raise ValueError(
            f"{value!r} cannot be used as a name; take lower-case letters, digits and _, beginning with a letter"
        )
    return value


def check_filename(value: str) -> str:
    """`value` itself when it is a plain file name without folders; ValueError otherwise."""
    if not _FILENAME.fullmatch(value) or ".." in value:
        raise ValueError(f"{value!r} is not a file name; take letters, digits, _, - and dots, without folders")
    return value


def check_relative_path(value: str) -> str:
    """`value` itself when it is a path inside the project (`/`-separated); ValueError otherwise."""
    parts = value.rstrip("/").split("/")
    if value.startswith("/") or "\\" in value or "\0" in value or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{value!r} is not a path inside the project; write it relative, without '..'")
    return value


def project_name(name: str) -> str:
    """The project's name as a Python package: `-` and `.` become `_`.

    Raises ValueError when a package would hide it: the bundle's folder comes last on Airflow's sys.path; and when it
    is what a review is called.
    """
    word = check_word(re.sub(r"[-.]", "_", name.lower()))
    if word in TAKEN:
        raise ValueError(
            f"the project cannot be called {word!r}: a Python package of that name exists, "
            "which Airflow would import in its place"
        )
    if is_review(word):
        raise ValueError(f"the project cannot be called {word!r}: names that end so are those of reviews")
    return word


Word = Annotated[str, AfterValidator(check_word)]
Filename = Annotated[str, AfterValidator(check_filename)]
RelativePath = Annotated[str, AfterValidator(check_relative_path)]
