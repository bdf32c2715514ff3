"""`python -m bench.proxy HOST PORT`: a proxy on loopback that counts HTTP requests and makes each wait.

The wait stands for a network's round trip. It is added once to each request, before the request goes on; opening a
connection costs nothing extra, which is kind to whoever opens many. `GET /-/wait/20` sets the milliseconds and begins a
new count, `GET /-/count` tells it. The address is the first line of standard output.
"""

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Proxy:
    """One upstream server, the seconds that each request waits, and how many there were of each method."""

    host: str
    port: int
    wait: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: requests one after the other, over one connection to the upstream server."""
        upstream: Streams | None = None
        try:
            while head := await _head(reader):
                method, path, _ = head[0].split(" ", 2)
                if path.startswith("/-/"):
                    self._control(path, writer)
                    continue
                self.counts[method] += 1
                await asyncio.sleep(self.wait)
                if upstream is None:
                    upstream = await asyncio.open_connection(self.host, self.port)
                if not await _exchange(method, head, (reader, writer), upstream):
                    upstream[1].close()
                    upstream = None
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            if upstream:
                upstream[1].close()

    def _control(self, path: str, writer: asyncio.StreamWriter) -> None:
        if path.startswith("/-/wait/"):
            self.wait = float(path.rpartition("/")[2]) / 1000
            self.counts.clear()
        body = json.dumps(self.counts).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def _head(reader: asyncio.StreamReader) -> list[str]:
    """The lines of a message's head; empty at the end of the connection."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return []
    return raw.decode("latin-1").split("\r\n")[:-2]


async def _exchange(method: str, head: list[str], client: Streams, upstream: Streams) -> bool:
    """Sends one request on and its answer back; whether the upstream connection can be used again."""
    if _value(head, "expect"):
        client[1].write(b"HTTP/1.1 100 Continue\r\n\r\n")
        head = [line for line in head if not line.lower().startswith("expect:")]
    await _pass(head, client[0], upstream[1], has_body=True)
    while (answer := await _head(upstream[0])) and answer[0].split(" ")[1] == "100":
        pass
    if not answer:
        raise ConnectionResetError
    status = int(answer[0].split(" ")[1])
    await _pass(answer, upstream[0], client[1], has_body=method != "HEAD" and status not in (204, 304))
    return (_value(answer, "connection") or "").lower() != "close"


async def _pass(head: list[str], source: asyncio.StreamReader, target: asyncio.StreamWriter, has_body: bool) -> None:
    target.write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
    if has_body and (_value(head, "transfer-encoding") or "").lower() == "chunked":
        while True:
            line = await source.readuntil(b"\r\n")
            target.write(line + await source.readexactly(int(line.split(b";")[0], 16) + 2))
            if line.strip() == b"0":
                break
    elif has_body and (length := int(_value(head, "content-length") or 0)):
        target.write(await source.readexactly(length))
    await target.drain()


def _value(head: list[str], name: str) -> str | None:
    for line in head[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return None


async def main() -> None:
    """Serves until the process is ended."""
    proxy = Proxy(sys.argv[1], int(sys.argv[2]))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 20)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
