"""What may go wrong with a job in a container, and the sentence that its task ends with, whatever the backend."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """The one output is `out`; `reference` replaces the reference of the one input, `data`.

    `seconds` is the time limit; the script must have run at least and at most as long as `ended_after` says.
    """

    name: str
    script: str
    reason: str
    seconds: float = 60
    ended_after: tuple[float, float] = (0, 60)
    reference: dict[str, Any] = field(default_factory=dict)
    image: str = "user"


DISK = "dd if=/dev/zero of=fill bs=1M count=50; sleep 600"
MEMORY = "dd if=/dev/zero of=/dev/null bs=200M count=1"
"""Both are more than the flavor of the tests has."""
PRINTS = (
    "yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c 100000000; echo; echo end"
)

CASES = (
    Case("hangs", "echo begun; sleep 600", "the script was stopped at its time limit of 2 seconds after", 2, (2, 30)),
    Case(
        "ignores TERM", "trap '' TERM; echo x; sleep 600 & wait; sleep 600", "time limit of 1 second after", 1, (11, 60)
    ),
    Case("forks", "(sleep 600 &) ; sh -c 'sleep 600' & sleep 600", "time limit of 1 second after", 1, (1, 30)),
    Case("ends badly", "echo last words; exit 3", "the script ended with exit code 3 after"),
    Case("says why", "echo last words; exit 3", "; its last line: 'last words'"),
    Case("says nothing", "exit 4", "ended with exit code 4 after", ended_after=(0, 30)),
    Case("is killed", "kill -KILL $$", "the script was killed by SIGKILL; too little memory is the usual cause"),
    Case("is stopped by a signal", "kill -USR1 $$", "the script was killed by SIGUSR1"),
    Case("takes too much memory", MEMORY, "needs more memory than the 64Mi of its flavor 'small'"),
    Case("fills its disk", DISK, "it needs more disk than the 32Mi of its flavor 'small' after"),
    Case("writes nothing", "true", "ended well but output 'out' (out.csv) was not written; it must write to {out}"),
    Case("leaves it empty", ": > {out}", "the script left output 'out' (out.csv) empty"),
    Case("makes a folder", "mkdir {out}", "left output 'out' (out.csv) as something else than a file"),
    Case("steals", "ln -s /proc/1/environ {out}", "left output 'out' (out.csv) as something else than a file"),
    Case("input is gone", "true", "there is no object s3://data/dev/x/gone.csv", reference={"key": "dev/x/gone.csv"}),
    Case("input was changed", "true", "is not what was kept: SHA-256 ", reference={"sha256": "0" * 64}),
    Case("image is absent", "true", "localhost/absent:1", image="absent"),
)
