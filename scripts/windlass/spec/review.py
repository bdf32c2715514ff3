"""How a review is called: what a merge request delivers beside the real project has its name and `_mr<IID>`."""

import re
from typing import Literal

_REVIEW = re.compile(r"([a-z][a-z0-9_]*?)_mr([1-9][0-9]*)")
_LONGEST = 63
FOLDER = "windlass-reviews"
"""Where reviews write in the data bucket. What is in it expires: nobody's own folder may happen to be called so."""
Standing = Literal["open", "closed", "merged"]
"""What GitLab says of a merge request."""


def review_name(name: str, iid: int) -> str:
    """The name of a project, or of a pipeline of it, in the review of merge request `iid`; ValueError if too long."""
    reviewed = f"{name}_mr{iid}"
    if len(reviewed) > _LONGEST:
        raise ValueError(f"{reviewed!r} has more than {_LONGEST} characters; give {name!r} a shorter name")
    return reviewed


def review_asset(asset: str, project: str) -> str:
    """The name of an asset that pipelines of the review `project` produce: nobody else follows it."""
    return f"{project}/{asset}"


def reviewed(name: str) -> tuple[str, int] | None:
    """The project and the merge request of which `name` is the review; None where it is no review's."""
    match = _REVIEW.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def is_review(name: str) -> bool:
    """Whether a project of this name is a review."""
    return reviewed(name) is not None


def environment_of(project: str, iid: int) -> str:
    """What GitLab calls the environment of a review."""
    return f"review/{project}-{iid}"
