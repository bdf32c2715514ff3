"""An SMTP server that keeps what it is sent and accepts everything, except for recipients at `nowhere.example`."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """Where it listens, and each mail as it arrived."""

    port: int
    mails: list[str] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server on a free port."""

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                word = line.upper().split()[0]
                if word == "DATA":
                    self.say("354 go on")
                    server.mails.append("".join(self.read_mail()))
                    self.say("250 kept")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("550 no such user" if "nowhere.example" in line else "250 fine")

        def say(self, answer: str) -> None:
            self.wfile.write(answer.encode() + b"\r\n")

        def read_mail(self) -> Iterator[str]:
            while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
                yield line

    listener = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
    listener.daemon_threads = True
    server = MailServer(listener.server_address[1])
    threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
