"""A commit's status: one line beside its pipelines that says to where it was delivered."""

from typing import Any

from windlass.adapters.gitlab.connection import Connection

_WHAT = "a commit status"


def keep_status(connection: Connection, commit: str, name: str, described: dict[str, Any]) -> bool:
    """Gives the commit the status `name` with `success`; False when it has it already.

    `described` may hold `description`, `target_url`, `ref` and `pipeline_id`. A job's token may not do this.
    """
    statuses = connection.project.commits.get(commit, lazy=True).statuses

    def find() -> Any | None:
        every = statuses.list(name=name, iterator=True, per_page=100, obey_rate_limit=False)
        own = [one for one in every if one.attributes["name"] == name]
        return next((one for one in own if one.attributes["status"] == "success"), None)

    content = {"name": name, "state": "success", **described}
    with connection.understood(_WHAT):
        made, is_new = connection.make(_WHAT, find, lambda: statuses.create(content, obey_rate_limit=False))
        if made.attributes["name"] != name:
            raise connection.not_understood(_WHAT)
    return is_new
