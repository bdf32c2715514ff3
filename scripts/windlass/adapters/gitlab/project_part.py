"""One part of a project's settings: what GitLab tells this token, or the reason why it does not."""

from collections.abc import Callable
from typing import Any, TypeVar

from windlass.adapters.gitlab.connection import Connection
from windlass.spec.errors import ServiceError
from windlass.spec.project_settings import Unseen

Part = TypeVar("Part")


def read_part(
    connection: Connection, what: str, needs: str, question: Callable[[], Part], missing: str | None = None
) -> Part | Unseen:
    """What the question brings, or why this token does not get it: `missing` where it is not there (404)."""
    try:
        with connection.understood(what):
            return connection.ask(what, question)
    except ServiceError as refused:
        code = getattr(refused.__cause__, "response_code", None)
        if code == 404 and missing:
            return Unseen(missing)
        return Unseen(f"could not look: {needs}" if code in (401, 403, 404) else f"could not look: {refused}")


def everything(manager: Any) -> list[dict[str, Any]]:
    """The attributes of each thing of a list, on all of its pages."""
    return [dict(one.attributes) for one in manager.list(get_all=True, per_page=100, obey_rate_limit=False)]
