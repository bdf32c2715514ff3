"""Requests end, stay with HTTP and keep the connection's secrets for the connection's server."""

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from windlass.runtime.errors import RuntimeStop
from windlass.runtime.web import Server, download, post

SECRET = {"Authorization": "Bearer the token", "X-Key": "the key"}


class Handler(BaseHTTPRequestHandler):
    """Answers by the path; each server keeps the headers that it saw."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        word, _, rest = self.path.partition("?")[0].lstrip("/").partition("/")
        if word == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
        elif word == "packed":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(b"packed")
        elif word == "status":
            self.send_error(int(rest))
        else:
            content = b"x" * int(rest)
            self.send_response(200)
            if word != "unknown":
                self.send_header("Content-Length", str(len(content) + (5 if word == "short" else 0)))
            self.end_headers()
            self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def start() -> Iterator[Callable[[], ThreadingHTTPServer]]:
    servers: list[ThreadingHTTPServer] = []

    def make() -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.seen = []
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


Start = Callable[[], ThreadingHTTPServer]


def at(server: ThreadingHTTPServer) -> Server:
    return Server(f"http://127.0.0.1:{server.server_port}", SECRET, "connection 'web'")


def fetch(url: str, folder: Path, server: Server | None = None, most: int = 1000) -> int:
    return download(url, folder / "file", server or Server(), {"X-Note": "mine"}, 5.0, most)


@pytest.mark.parametrize("path", ["known/100", "unknown/100", "unknown/0"])
def test_a_file_arrives_whole(path: str, start: Start, tmp_path: Path) -> None:
    size = fetch(path, tmp_path, at(start()))
    assert (tmp_path / "file").read_bytes() == b"x" * size and size == int(path.rpartition("/")[2])


def test_the_connections_headers_reach_its_own_server(start: Start, tmp_path: Path) -> None:
    server = start()
    fetch("/known/1", tmp_path, at(server))
    fetch(f"http://127.0.0.1:{server.server_port}/known/1", tmp_path, at(server))
    for seen in server.seen:
        assert (seen["authorization"], seen["x-key"], seen["x-note"]) == ("Bearer the token", "the key", "mine")


def test_they_follow_a_redirect_on_the_same_server_and_no_header_goes_to_another(start: Start, tmp_path: Path) -> None:
    server, other = start(), start()
    fetch("/to//known/1", tmp_path, at(server))
    assert [seen["x-key"] for seen in server.seen] == ["the key", "the key"]
    fetch(f"/to/http://127.0.0.1:{other.server_port}/known/1", tmp_path, at(server))
    fetch(f"http://127.0.0.1:{other.server_port}/known/1", tmp_path, at(server))
    for seen in other.seen:
        assert not {"authorization", "x-key"} & seen.keys()
    assert "x-note" not in other.seen[0] and other.seen[1]["x-note"] == "mine"


def test_headers_come_back_with_a_redirect_to_the_connections_server(start: Start, tmp_path: Path) -> None:
    server, other = start(), start()
    fetch(
        f"http://127.0.0.1:{other.server_port}/to/http://127.0.0.1:{server.server_port}/known/1", tmp_path, at(server)
    )
    assert server.seen[0]["x-key"] == "the key"


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x"])
def test_a_redirect_leads_to_http_only(address: str, start: Start, tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=r"leads to '.*'; only http and https are followed|answers 302"):
        fetch(f"/to/{address}", tmp_path, at(start()))
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.170.2]"])
def test_nothing_leads_to_the_credentials_of_the_machine(host: str, start: Start, tmp_path: Path) -> None:
    for url, server in ((f"http://{host}/latest", None), (f"/to/http://{host}/latest", at(start()))):
        with pytest.raises(RuntimeStop, match="is an address of the machine's own cloud"):
            fetch(url, tmp_path, server)


def test_what_comes_packed_without_being_asked_for_is_no_csv(start: Start, tmp_path: Path) -> None:
    server = at(start())
    with pytest.raises(RuntimeStop, match=r"sends 'gzip' although .* name the output '....gz'"):
        fetch("packed/", tmp_path, server)
    assert download("packed/", tmp_path / "x.csv.gz", server, {}, 5.0, 1000) == 6


@pytest.mark.parametrize("value", ["the key\n", "the k\N{EURO SIGN}y"])
def test_a_secret_that_cannot_be_sent_is_not_shown_instead(value: str, start: Start, tmp_path: Path) -> None:
    server = Server(at(start()).base, {"X-Key": value}, "connection 'web'")
    for ask in (lambda: fetch("known/1", tmp_path, server), lambda: post(server, {}, 5.0)):
        with pytest.raises(RuntimeStop, match="holds what HTTP cannot send") as caught:
            ask()
        assert "the k" not in str(caught.value) and caught.value.__suppress_context__


@pytest.mark.parametrize("url", ["http://[::1/x", "http://a..b/", "http://127.0.0.1/\N{SNOWMAN}"])
def test_what_is_no_address_is_told_in_one_sentence(url: str, start: Start, tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=r"is no address|cannot be asked|cannot be reached"):
        fetch(url, tmp_path)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "/known/1", "http://", "data:,x", "://x"])
def test_an_address_that_is_not_http_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match="must begin with http:// or https://"):
        fetch(url, tmp_path)


def test_a_password_in_an_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match="holds a user or password") as caught:
        fetch("http://me:secret@127.0.0.1/x?key=secret", tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("status/404", r"http://127\.0\.0\.1:\d+/status/404 answers 404"),
        ("status/500", "answers 500"),
        ("known/1001", "sends more than max_size, 1000 bytes"),
        ("unknown/1001", "sends more than max_size, 1000 bytes"),
        ("short/10", "sent 10 bytes instead of the 15|broke off"),
        ("to//to//to//to//to//to//to//known/1", "answers 302"),
    ],
)
def test_what_goes_wrong_is_one_sentence(path: str, reason: str, start: Start, tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=reason) as caught:
        fetch(f"{path}?key=secret", tmp_path, at(start()))
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_a_server_that_is_silent_is_given_up(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(RuntimeStop, match=r"cannot be reached: timed out|sent nothing for 0\.05 seconds"):
            download(f"http://127.0.0.1:{silent.getsockname()[1]}/", tmp_path / "x", Server(), {}, 0.05, 10)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=r"http://127\.0\.0\.1:9/x cannot be reached"):
        fetch("http://127.0.0.1:9/x", tmp_path)


def test_a_message_is_not_led_elsewhere_and_its_address_is_never_shown(start: Start) -> None:
    server = start()
    for path, reason in (("to//known/1", "answers 302 and leads elsewhere"), ("status/403", "answers 403")):
        hidden = Server(f"http://127.0.0.1:{server.server_port}/{path}", {}, "connection 'chat'")
        with pytest.raises(RuntimeStop, match=f"connection 'chat' {reason}") as caught:
            post(hidden, {"text": "x"}, 5.0)
        assert "127.0.0.1" not in str(caught.value)
    with pytest.raises(RuntimeStop, match="connection 'chat' names no http or https server"):
        post(Server("file:///x", {}, "connection 'chat'"), {}, 5.0)


def test_secrets_do_not_show_in_the_server_itself() -> None:
    assert "token" not in repr(Server("http://x", SECRET))
