"""`python -m bench [PART]...`: measures and writes docs/benchmarks.md; without PART all of it."""

import signal
import sys
import tempfile
from pathlib import Path

from bench import (
    authoring,
    checks,
    jobs,
    parsing,
    promotion,
    rollback,
    s3_splitting,
    scoring,
    serving,
    splitting,
    staging,
)
from bench.landscape import landscape
from bench.report import surroundings, write_part


def main() -> None:
    """Runs the parts that are asked for, one after the other: nothing else should run on the machine."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are stopped then, too
    known = {
        "staging": staging.measure,
        "promotion": promotion.measure,
        "rollback": rollback.measure,
        "serving": serving.measure,
        "authoring": authoring.measure,
        "parsing": parsing.measure,
        "splitting": splitting.measure,
        "s3_splitting": s3_splitting.measure,
        "scoring": scoring.measure,
        "checks": checks.measure,
        "jobs": jobs.measure,
    }
    with tempfile.TemporaryDirectory() as folder, landscape(Path(folder)) as land:
        for name in sys.argv[1:] or known:
            sys.stderr.write(f"measuring {name}\n")
            known[name](land)
    write_part("surroundings", surroundings())


if __name__ == "__main__":
    main()
