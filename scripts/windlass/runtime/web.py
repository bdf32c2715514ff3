"""HTTP requests that cannot hang, cannot be led to another protocol and cannot carry a secret to another server."""

import base64
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import RuntimeStop
from .link_local import is_link_local

CHUNK = 1024 * 1024
REDIRECTS = 5
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NOT_HEADERS = {
    "allow_redirects", "cert", "check_response", "max_redirects", "proxies", "proxy", "srv_lookup", "stream",
    "timeout", "trust_env", "verify", "verify_ssl",
}  # fmt: skip
"""Keys of an HTTP connection's extra that Airflow does not send as headers."""


@dataclass(frozen=True)
class Server:
    """What an Airflow connection says: where the server is, and the headers that only this server may see."""

    base: str = ""
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    where: str = ""


def server(connection: str) -> Server:
    """The server of an Airflow connection of the type `http`.

    Login and password are sent as basic authentication, a password alone as a bearer token, `extra` as headers.
    """
    from airflow.sdk import Connection

    from .of_airflow import AirflowNotFoundException

    try:
        found = Connection.get(connection)
    except AirflowNotFoundException as error:
        raise RuntimeStop(f"there is no connection {connection!r} in this Airflow; declare it") from error
    host = found.host or ""
    base = host if "://" in host else f"{found.schema or 'http'}://{host}"
    if found.port:
        base = f"{base}:{found.port}"
    headers = {key: str(value) for key, value in found.extra_dejson.items() if key not in _NOT_HEADERS}
    if found.password and found.login:
        pair = base64.b64encode(f"{found.login}:{found.password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    elif found.password:
        headers["Authorization"] = f"Bearer {found.password}"
    return Server(base if host else "", headers, f"connection {connection!r}")


def download(url: str, path: Path, at: Server, headers: Mapping[str, str], timeout: float, most: int) -> int:
    """Writes what `url` answers to `path` and returns its size; more than `most` bytes are refused.

    A `url` without a server is looked up below the one of `at`, whose headers go to that server only.
    """
    address = _address(url, at)
    request = urllib.request.Request(address, headers={"Accept-Encoding": "identity", **headers})  # noqa: S310 - checked
    size = 0
    with _answer(request, at, timeout, _shown(address)) as answer, path.open("wb") as file:
        promised = answer.headers.get("Content-Length")
        packed = answer.headers.get("Content-Encoding", "identity").lower()
        if packed not in ("", "identity") and path.suffix != ".gz":
            raise RuntimeStop(
                f"{_shown(address)} sends {_first_line(packed)[:40]!r} although that was not asked for; "
                "name the output '....gz' and unpack it in a job"
            )
        while chunk := answer.read(CHUNK):
            size += len(chunk)
            if size > most:
                raise RuntimeStop(f"{_shown(address)} sends more than max_size, {most} bytes")
            file.write(chunk)
        if promised is not None and promised.isdigit() and int(promised) != size:
            raise RuntimeStop(f"{_shown(address)} sent {size} bytes instead of the {promised} that it announced")
    return size


def post(at: Server, value: Any, timeout: float) -> None:
    """Sends `value` as JSON to the server itself; its address is never shown, it may be the secret."""
    headers = {"Content-Type": "application/json"}
    if not at.base.startswith(("http://", "https://")):
        raise RuntimeStop(f"{at.where} names no http or https server")
    request = urllib.request.Request(at.base, json.dumps(value).encode(), headers, method="POST")  # noqa: S310 - checked
    with _answer(request, at, timeout, at.where) as answer:
        answer.read(CHUNK)


def _address(url: str, at: Server) -> str:
    address = url if _ABSOLUTE.match(url) else f"{at.base.rstrip('/')}/{url.lstrip('/')}"
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise RuntimeStop(f"url {url.partition('?')[0]!r} is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RuntimeStop(
            f"url {_shown(url)!r} must begin with http:// or https://, or a connection must name the server"
        )
    if parts.username is not None or parts.password is not None:
        raise RuntimeStop(f"url {_shown(url)!r} holds a user or password; put them into an Airflow connection")
    _check_host(parts.hostname, _shown(address))
    return address


def _check_host(host: str | None, where: str) -> None:
    if host and is_link_local(host):
        raise RuntimeStop(f"{where} is an address of the machine's own cloud, which holds credentials and no files")


@contextmanager
def _answer(request: urllib.request.Request, at: Server, timeout: float, where: str) -> Iterator[Any]:
    opener = urllib.request.build_opener(_Redirects(at))
    for name, value in _secrets_for(request.full_url, at).items():
        request.add_unredirected_header(name, value)
    try:
        with opener.open(request, timeout=timeout) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        raise RuntimeStop(f"{where} answers {error.code} {_first_line(error.reason)}".rstrip()) from None
    except urllib.error.URLError as error:
        raise RuntimeStop(f"{where} cannot be reached: {_first_line(error.reason)}") from None
    except http.client.HTTPException as error:
        raise RuntimeStop(f"{where} broke off: {type(error).__name__}") from None
    except ValueError:  # its message would hold the header, which may be a secret
        raise RuntimeStop(
            f"{where} cannot be asked: its address or a header holds what HTTP cannot send, like a line end"
        ) from None
    except TimeoutError:
        raise RuntimeStop(f"{where} sent nothing for {timeout:g} seconds") from None
    except ConnectionError as error:
        raise RuntimeStop(f"{where} cannot be reached: {error.strerror or error}") from None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https only; headers go along to the same server only."""

    max_redirections = REDIRECTS

    def __init__(self, at: Server) -> None:
        self._at = at

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.get_method() != "GET":
            raise RuntimeStop(f"{self._at.where} answers {code} and leads elsewhere; write the address that is meant")
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise RuntimeStop(f"{_shown(req.full_url)} leads to {_shown(newurl)!r}; only http and https are followed")
        _check_host(urlsplit(newurl).hostname, f"{_shown(req.full_url)} leads to {_shown(newurl)!r}, which")
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None:
            if _origin(newurl) != _origin(req.full_url):
                following.headers = {"Accept-encoding": "identity"}
            for name, value in _secrets_for(newurl, self._at).items():
                following.add_unredirected_header(name, value)
        return following


def _secrets_for(address: str, at: Server) -> Mapping[str, str]:
    """The connection's headers, where `address` is on the connection's own server."""
    return at.secret if at.base and _origin(address) == _origin(at.base) else {}


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _first_line(reason: object) -> str:
    return (str(reason).splitlines() or [""])[0]


def _shown(address: str) -> str:
    """An address without what may be secret in it: user, password, query."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else address.partition("?")[0]
