"""Lists in pages, with the headers by which a client finds the next one: offset, or keyset where GitLab has it."""

import base64
import binascii
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .call import Refusal

COUNTED = 10_000
"""A longer list is not counted for the client, as in GitLab."""


def page(request: Request, values: list[Any], parameters: dict[str, Any], keyset: bool) -> Response:
    """The page that the parameters ask for."""
    try:
        size = min(max(int(parameters.get("per_page", 20)), 1), 100)
        number = max(int(parameters.get("page", 1)), 1)
    except ValueError as error:
        raise Refusal(400, "page and per_page are numbers") from error
    if parameters.get("pagination") == "keyset":
        if not keyset:
            raise Refusal(405, "Keyset pagination is not yet available for this type of request")
        return _by_cursor(request, values, size, parameters.get("cursor"))
    shown, last = values[(number - 1) * size : number * size], max(-(-len(values) // size), 1)
    headers = {
        "X-Page": str(number),
        "X-Per-Page": str(size),
        "X-Prev-Page": str(number - 1) if number > 1 else "",
        "X-Next-Page": str(number + 1) if number < last else "",
    }
    if len(values) <= COUNTED:
        headers |= {"X-Total": str(len(values)), "X-Total-Pages": str(last)}
    links = {"prev": number - 1 if number > 1 else None, "next": number + 1 if number < last else None, "first": 1}
    if len(values) <= COUNTED:
        links["last"] = last
    headers["Link"] = ", ".join(
        f'<{request.url.include_query_params(page=to, per_page=size)}>; rel="{name}"'
        for name, to in links.items()
        if to is not None
    )
    return JSONResponse(shown, headers=headers)


def _by_cursor(request: Request, values: list[Any], size: int, cursor: str | None) -> Response:
    try:
        after = int(base64.urlsafe_b64decode(cursor or base64.urlsafe_b64encode(b"0")))
    except (ValueError, binascii.Error) as error:
        raise Refusal(400, "cursor is invalid") from error
    headers = {"X-Per-Page": str(size)}
    if after + size < len(values):
        following = base64.urlsafe_b64encode(str(after + size).encode()).decode()
        url = request.url.include_query_params(cursor=following, per_page=size, pagination="keyset")
        headers["Link"] = f'<{url}>; rel="next"'
    return JSONResponse(values[after : after + size], headers=headers)
