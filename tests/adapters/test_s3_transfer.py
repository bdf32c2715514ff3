"""Large files to and from S3: what is left when an upload breaks off, what is refused, and how much memory it takes."""

import hashlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from windlass.adapters.s3 import Bucket, open_bucket, open_client
from windlass.delivery.promotion.carry import Cargo, carry_all
from windlass.spec.errors import ServiceError, TransientError
from windlass.spec.store import Stat

PART = 5 * 1024**2
CONTENT = bytes(range(256)) * (12 * 1024**2 // 256)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
KEY = "dev/digits/weights"


def refusal(action: str, code: str = "AccessDenied", status: int = 403) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, action)


class Faulty:
    """A boto3 client whose `number`th call of `name` fails, before it is sent or after it was answered."""

    def __init__(self, client: Any, error: BaseException, name: str, number: int = 1, *, after: bool = False) -> None:
        self.client, self.error, self.name, self.number, self.after = client, error, name, number, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        return self.failing(found) if name == self.name else found

    def failing(self, call: Any) -> Any:
        def fail(**arguments: Any) -> Any:
            self.number -= 1
            if self.number == 0 and not self.after:
                raise self.error
            answer = call(**arguments)
            if self.number == 0:
                raise self.error
            return answer

        return fail


@pytest.fixture
def client(moto: str) -> Any:
    return open_client("s3://code", moto)


def in_parts(client: Any) -> Bucket:
    return Bucket(client, "code", largest_put=PART, part=PART)


def uploads(client: Any) -> list[str]:
    return [upload["Key"] for upload in client.list_multipart_uploads(Bucket="code").get("Uploads", [])]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), refusal("UploadPart"), MemoryError()], ids=repr)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("name", "number"),
    [("upload_part", 1), ("upload_part", 2), ("upload_part", 3), ("complete_multipart_upload", 1)],
)
def test_an_upload_that_ends_at_any_call_leaves_no_parts_and_no_half_of_an_object(
    client: Any, error: BaseException, name: str, number: int, after: bool
) -> None:
    client.delete_object(Bucket="code", Key=KEY)
    store = in_parts(Faulty(client, error, name, number, after=after))
    with pytest.raises((KeyboardInterrupt, ServiceError, MemoryError)):
        store.put_file(KEY, io.BytesIO(CONTENT), sha256=DIGEST, size=len(CONTENT))
    assert uploads(client) == []
    is_whole = after and name.startswith("complete")  # S3 had completed it, and only the answer was lost
    assert (store.stat(KEY) is not None) == is_whole
    store.put_file(KEY, io.BytesIO(CONTENT), sha256=DIGEST, size=len(CONTENT))
    assert b"".join(store.pieces(KEY)) == CONTENT


def test_a_file_that_cannot_be_read_to_its_end_leaves_no_parts(client: Any) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > PART:
                raise OSError("the disk is gone")
            return super().read(size)

    client.delete_object(Bucket="code", Key=KEY)
    with pytest.raises(OSError, match="the disk is gone"):
        in_parts(client).put_file(KEY, Broken(CONTENT), sha256=DIGEST, size=len(CONTENT))
    assert uploads(client) == []
    assert in_parts(client).stat(KEY) is None


@pytest.mark.parametrize(
    "error",
    [
        refusal("CopyObject"),
        refusal("CopyObject", "NotImplemented", 501),
        refusal("CopyObject", "InvalidRequest", 400),
        refusal("CopyObject", "PreconditionFailed", 412),
        refusal("CopyObject", "NoSuchKey", 404),
    ],
    ids=lambda error: str(error.response["Error"]["Code"]),
)
def test_who_may_not_copy_carries_the_bytes_instead(client: Any, error: ClientError) -> None:
    store = Bucket(client, "code")
    for key in ("copy/dev", "copy/stage"):
        store.delete(key)
    store.put("copy/dev", b"weights")
    cargo = Cargo("the file", "copy/dev", "copy/stage", hashlib.sha256(b"weights").hexdigest(), 7)
    target = Bucket(Faulty(client, error, "copy_object"), "code")
    assert carry_all(store, target, [cargo]) == ["carried through here"]
    assert store.get("copy/stage").content == b"weights"


def test_an_s3_that_is_busy_while_it_copies_is_worth_another_try_of_the_whole(client: Any) -> None:
    store = Bucket(client, "code")
    store.put("copy/dev", b"weights")
    target = Bucket(Faulty(client, refusal("CopyObject", "SlowDown", 503), "copy_object"), "code")
    expected = store.stat("copy/dev")
    assert expected is not None
    with pytest.raises(TransientError, match="s3://code/copy/stage: S3 is busy"):
        target.copy(store, "copy/dev", "copy/stage", expected)


def test_another_endpoint_is_never_asked_to_copy(client: Any) -> None:
    here, there = Bucket(client, "code"), open_bucket("code", "http://127.0.0.1:1")
    assert not there.copy(here, "copy/dev", "copy/stage", Stat(7, '"etag"', DIGEST))


@pytest.mark.stack
def test_a_store_that_checks_keeps_nothing_of_a_file_that_arrives_damaged(ministack: str) -> None:
    for store in (open_bucket("code", ministack), open_bucket("code", ministack, largest_put=PART, part=PART)):
        with pytest.raises(Exception, match=r"what arrived is not what was sent \(BadDigest\)|the file changed"):
            store.put_file("damaged", io.BytesIO(CONTENT), sha256="0" * 64, size=len(CONTENT))
        assert store.stat("damaged") is None


@contextmanager
def serving(size: int, broken_after: int | None = None, breaks: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A server with one large object of zeros, which swallows what is put; its first `breaks` answers break off."""
    asked: list[str] = []
    left = [breaks]

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(200 if self.path.endswith("/large") else 404, size if self.path.endswith("/large") else 0)

        def do_GET(self) -> None:
            asked.append(self.headers.get("Range", ""))
            start = int(asked[-1].removeprefix("bytes=").rstrip("-") or 0)
            self.answer(206 if start else 200, size - start)
            stop = size - start
            if left[0]:
                left[0] -= 1
                stop, self.close_connection = min(stop, broken_after or 0), True
            while stop > 0:
                self.wfile.write(bytes(min(stop, 1024**2)))
                stop -= 1024**2

        def do_PUT(self) -> None:
            waiting = int(self.headers["Content-Length"])
            while waiting > 0:
                waiting -= len(self.rfile.read(min(waiting, 1024**2)))
            self.answer(200, 0)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            text = b"<Result><UploadId>one</UploadId></Result>"
            self.answer(200, len(text))
            self.wfile.write(text)

        def answer(self, status: int, length: int) -> None:
            self.send_response(status)
            self.send_header("ETag", '"large"')
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_an_answer_that_breaks_off_is_taken_up_where_it_ended() -> None:
    size = 5 * 1024**2
    with serving(size, broken_after=2 * 1024**2, breaks=2) as (endpoint, asked):
        store = open_bucket("code", endpoint, attempts=1, timeout=5)
        assert sum(len(piece) for piece in store.pieces("large")) == size
    assert asked == ["", f"bytes={2 * 1024**2}-", f"bytes={4 * 1024**2}-"]


def test_an_answer_that_always_breaks_off_is_given_up() -> None:
    with serving(5 * 1024**2, broken_after=0, breaks=100) as (endpoint, asked):
        store = open_bucket("code", endpoint, attempts=1, timeout=5)
        with pytest.raises(TransientError, match="s3://code/large: S3 does not answer"):
            list(store.pieces("large"))
    assert len(asked) == 1  # nothing came at all: boto3 has tried as often as it should


CARRY = """
import resource, sys
from windlass.adapters.s3 import open_bucket
from windlass.delivery.promotion.carry import Cargo, carry_all

endpoint, digest, size, largest_put = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store = open_bucket("code", endpoint, largest_put=largest_put)
store.stat("large")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ways = carry_all(store, store, [Cargo("large", "large", "target", digest, size)])
print(ways[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, sep=": ")
"""


@pytest.mark.parametrize("largest_put", [5 * 1024**3, 64 * 1024**2], ids=["one PUT", "in parts"])
def test_a_file_larger_than_memory_should_hold_takes_little_of_it(tmp_path: Path, largest_put: int) -> None:
    size, allowed = 300 * 1024**2, 60 * 1024  # kilobytes
    digest = hashlib.sha256()
    for _ in range(300):
        digest.update(bytes(1024**2))
    with serving(size) as (endpoint, _):
        command = [sys.executable, "-c", CARRY, endpoint, digest.hexdigest(), str(size), str(largest_put)]
        variables = {**os.environ, "TMPDIR": str(tmp_path)}
        done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    way, _, grown = done.stdout.partition(": ")
    assert way == "carried through here"
    assert int(grown) < allowed
    assert not list(tmp_path.iterdir())
