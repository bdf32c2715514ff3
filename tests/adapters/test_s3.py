"""What becomes of S3's refusals: one sentence that names bucket, key and remedy, and never a secret."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from windlass.adapters.s3 import open_bucket
from windlass.spec.errors import ServiceError, TransientError
from windlass.spec.store import Missing, Store


@contextmanager
def answering(status: int, code: str) -> Iterator[Store]:
    """A bucket whose server answers everything in the same way."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>secret hint</Message></Error>".encode() if code else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_PUT(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield open_bucket("code", f"http://127.0.0.1:{server.server_port}", attempts=1, timeout=5)
    finally:
        server.shutdown()
        server.server_close()


def _read_all(store: Store) -> object:
    return list(store.pieces("k"))


def _stat(store: Store) -> object:
    return store.stat("k")


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (403, "AccessDenied", ServiceError, "S3 refuses GetObject to these credentials"),
        (403, "InvalidAccessKeyId", ServiceError, "does not know these credentials"),
        (403, "SignatureDoesNotMatch", ServiceError, "does not know these credentials"),
        (400, "ExpiredToken", ServiceError, "have expired; renew AWS_ACCESS_KEY_ID"),
        (404, "NoSuchBucket", ServiceError, "there is no bucket 'code'"),
        (403, "RequestTimeTooSkewed", ServiceError, "set the clock of this machine right"),
        (404, "NoSuchKey", Missing, "there is no object"),
        (503, "SlowDown", TransientError, "S3 is busy"),
        (500, "InternalError", TransientError, "S3 is busy"),
        (400, "SomethingNew", ServiceError, "refuses GetObject: SomethingNew"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_object(status: int, code: str, kind: type[Exception], words: str) -> None:
    with answering(status, code) as store, pytest.raises(kind) as caught:
        store.get("dev/state.json")
    message = str(caught.value)
    assert words in message
    assert "dev/state.json" in message
    assert "secret hint" not in message
    assert "\n" not in message


@pytest.mark.parametrize("act", [lambda store: store.get("k"), lambda store: store.put("k", b"x"), _read_all, _stat])
def test_a_web_server_is_not_taken_for_a_store(act: Callable[[Store], object]) -> None:
    with (
        answering(200, "") as store,
        pytest.raises(ServiceError, match=r"what answers is no S3 store, .* s3\.endpoint"),
    ):
        act(store)


def test_who_may_not_delete_is_told_so() -> None:
    with answering(403, "AccessDenied") as store, pytest.raises(ServiceError, match="refuses DeleteObject to these"):
        store.delete("dev/a")


def test_a_store_that_nobody_listens_at_is_worth_another_try() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        store = open_bucket("code", f"http://127.0.0.1:{closed.getsockname()[1]}", attempts=1)
        actions: list[Callable[[], object]] = [
            lambda: store.get("a"),
            lambda: store.put("a", b""),
            lambda: store.exists("a"),
            lambda: list(store.list("a")),
            lambda: store.delete("a"),
        ]
        for action in actions:
            with pytest.raises(TransientError, match="s3://code/a: S3 does not answer"):
                action()


def test_an_account_in_the_endpoint_is_not_shown() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(TransientError, match="S3 does not answer") as caught:
        open_bucket("code", f"http://ann:hunter2@127.0.0.1:{port}", attempts=1, timeout=1).get("key")
    assert "hunter2" not in str(caught.value)


def test_a_store_that_hangs_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        store = open_bucket("code", f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3, attempts=1)
        with pytest.raises(TransientError, match="does not answer"):
            store.get("a")


def test_a_missing_bucket_is_not_a_missing_object(moto: str) -> None:
    store = open_bucket("nowhere", moto)
    with pytest.raises(ServiceError, match="there is no bucket 'nowhere'"):
        store.exists("dev/digits/1/model.json")
    with pytest.raises(ServiceError, match="there is no bucket 'nowhere'"):
        list(store.list("dev/"))
    with pytest.raises(ServiceError, match="there is no bucket 'nowhere'"):
        store.delete("dev/a")


def test_without_credentials_the_variables_are_named(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ServiceError, match="no credentials for S3; set AWS_ACCESS_KEY_ID"):
        open_bucket("code", moto).get("a")


def test_the_endpoint_may_come_from_the_environment(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    store = open_bucket("code")
    store.put("from-variable", b"x")
    assert store.exists("from-variable")


def test_an_endpoint_or_a_bucket_that_is_none_is_named() -> None:
    with pytest.raises(ServiceError, match="correct s3 in the environment's file"):
        open_bucket("code", "not a url")
    with pytest.raises(ServiceError, match="correct s3 in the environment's file"):
        open_bucket("no bucket", "http://127.0.0.1:1").get("a")
