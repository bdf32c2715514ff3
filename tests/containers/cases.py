"""What may go wrong with a job in a container, and the sentence that its task ends with, whatever the backend."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """`writes` is the one output, `out`; `reference` replaces the reference of the one input, `data`."""

    name: str
    script: str
    reason: str
    seconds: float = 60
    reference: dict[str, Any] = field(default_factory=dict)
    image: str = "user"


MEMORY = "dd if=/dev/zero of=/dev/null bs=200M count=1"
"""More than the flavor of the tests has."""

CASES = (
    Case("hangs", "echo begun; sleep 600", "the script was stopped at its time limit of 2 seconds after 2.", 2),
    Case("ignores TERM", "trap '' TERM; echo x; sleep 600 & wait; sleep 600", "time limit of 1 second after 11.", 1),
    Case("forks", "(sleep 600 &) ; sh -c 'sleep 600' & sleep 600", "time limit of 1 second after 1.", 1),
    Case("ends badly", "echo last words; exit 3", "the script ended with exit code 3 after"),
    Case("says why", "echo last words; exit 3", "; its last line: 'last words'"),
    Case("says nothing", "exit 4", "ended with exit code 4 after 0."),
    Case("is killed", "kill -KILL $$", "the script was killed by SIGKILL; too little memory is the usual cause"),
    Case("is stopped by a signal", "kill -USR1 $$", "the script was killed by SIGUSR1"),
    Case("takes too much memory", MEMORY, "needs more memory than the 64Mi of its flavor 'small'"),
    Case("writes nothing", "true", "ended well but output 'out' (out.csv) was not written; it must write to {out}"),
    Case("leaves it empty", ": > {out}", "the script left output 'out' (out.csv) empty"),
    Case("makes a folder", "mkdir {out}", "left output 'out' (out.csv) as something else than a file"),
    Case("steals", "ln -s /proc/1/environ {out}", "left output 'out' (out.csv) as something else than a file"),
    Case("input is gone", "true", "there is no object s3://data/dev/x/gone.csv", reference={"key": "dev/x/gone.csv"}),
    Case("input was changed", "true", "is not what was kept: SHA-256 ", reference={"sha256": "0" * 64}),
    Case("image is absent", "true", "localhost/absent:1", image="absent"),
)
