"""Free ports on 127.0.0.1, taken from below the range that the system gives to outgoing connections."""

import random
import socket

from windlass.spec.errors import WindlassError

LOWEST, HIGHEST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(taken: set[int]) -> int:
    """A free port that is not in `taken`. Random, so that stacks made side by side do not meet."""
    candidates = list(range(LOWEST, HIGHEST))
    random.shuffle(candidates)
    for port in candidates:
        if port not in taken and is_free(port):
            return port
    raise WindlassError(f"no free port between {LOWEST} and {HIGHEST} on 127.0.0.1: stop a stack that is not needed")
