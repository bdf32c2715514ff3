"""Records with GitLab what went to an environment, so that its merge requests say "deployed to"."""

from typing import Any

from windlass.adapters.gitlab.connection import Connection

_WHAT = "a deployment"


def record_deployment(connection: Connection, environment: str, commit: str, ref: str, *, is_tag: bool) -> bool:
    """Records that `commit` is in the environment; False when the last deployment that went well says so already."""
    deployments = connection.project.deployments

    def find() -> Any | None:
        found = deployments.list(
            environment=environment, status="success", order_by="id", sort="desc", per_page=1, get_all=False,
            obey_rate_limit=False,
        )  # fmt: skip
        return next((one for one in found if one.attributes["sha"] == commit), None)

    content = {"environment": environment, "sha": commit, "ref": ref, "tag": is_tag, "status": "success"}
    with connection.understood(_WHAT):
        made, is_new = connection.make(_WHAT, find, lambda: deployments.create(content, obey_rate_limit=False))
        if made.attributes["sha"] != commit:
            raise connection.not_understood(_WHAT)
    return is_new
