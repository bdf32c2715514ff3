"""What a script prints, as lines of a log: endless ones are cut, and of very many only the first and last are kept."""

import io
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable

LINE_LENGTH = 4000
TAIL = 20
FIRST = 4 * 1024 * 1024
LAST = 1024 * 1024
"""How many characters at the beginning and at the end of what is printed go into the log."""


class Lines:
    """Cuts bytes into lines of text; what is not UTF-8 becomes U+FFFD and a carriage return ends a line too."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._log = log
        self._decoder = io.IncrementalNewlineDecoder(getincrementaldecoder("utf-8")(errors="replace"), translate=True)
        self._rest = ""
        self._cutting = False

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        *whole, self._rest = (self._rest + self._decoder.decode(chunk, final=final)).split("\n")
        for line in whole:
            self._emit(line)
            self._cutting = False
        if len(self._rest) > LINE_LENGTH or (final and self._rest):
            self._emit(self._rest)
            self._cutting, self._rest = True, ""

    def _emit(self, line: str) -> None:
        if self._cutting:
            return
        if len(line) > LINE_LENGTH:
            line = line[:LINE_LENGTH] + " ... (cut)"
        self.tail.append(line)
        self._log(line)


class FirstAndLast:
    """Passes lines on until `first` characters have gone; then keeps those of the last `last` until `close`."""

    def __init__(self, log: Callable[[str], None], first: int = FIRST, last: int = LAST) -> None:
        self._log, self._left, self._most = log, first, last
        self._kept: deque[str] = deque()
        self._size = self._dropped = 0
        self._full = False

    def __call__(self, line: str) -> None:
        if not self._full and self._left > 0:
            self._left -= len(line) + 1
            self._log(line)
            return
        if not self._full:
            self._full = True
            self._log("... this is a lot; of what follows, only the last lines are shown when the script has ended")
        self._kept.append(line)
        self._size += len(line) + 1
        while self._size > self._most and len(self._kept) > 1:
            self._size -= len(self._kept.popleft()) + 1
            self._dropped += 1

    def close(self) -> None:
        """Shows the last lines, and says how many are missing before them."""
        if self._dropped:
            self._log(f"... {self._dropped} lines are left out here")
        while self._kept:
            self._log(self._kept.popleft())
