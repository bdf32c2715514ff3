"""Whether merge requests are still open: one question for all of them."""

from collections.abc import Collection
from functools import partial
from typing import Any

from windlass.adapters.gitlab.connection import Connection
from windlass.spec.review import Standing

_WHAT = "its merge requests"
_AT_ONCE = 100
_STATES: dict[str, Standing] = {
    "opened": "open",
    "locked": "open",
    "closed": "closed",
    "merged": "merged",
}


def standings(connection: Connection, iids: Collection[int]) -> dict[int, Standing]:
    """What each of the merge requests is. One that is not there, or is not shown to this token, is left out."""
    wanted = sorted(set(iids))
    found: dict[int, Standing] = {}
    with connection.understood(_WHAT):
        for begin in range(0, len(wanted), _AT_ONCE):
            some = wanted[begin : begin + _AT_ONCE]
            listed = connection.ask(_WHAT, partial(_list, connection, some))
            for one in listed:
                if one["iid"] not in some:
                    raise connection.not_understood(_WHAT)
                found[one["iid"]] = _STATES[one["state"]]
    return found


def _list(connection: Connection, iids: list[int]) -> list[dict[str, Any]]:
    requests = connection.project.mergerequests.list(
        iids=iids, state="all", scope="all", per_page=_AT_ONCE, get_all=True, obey_rate_limit=False
    )
    return [one.attributes for one in requests]
