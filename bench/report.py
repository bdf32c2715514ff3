"""Medians with their spread, tables in Markdown, and the page that they are written into."""

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"


def figure(values: Sequence[float], unit: str = "s") -> str:
    """The median, and the smallest and the largest value when there are several."""
    whole = all(value == int(value) for value in values)
    digits = 0 if whole or min(values) >= 100 else 1 if min(values) >= 10 else 2 if min(values) >= 0.1 else 3
    middle = f"{median(values):,.{digits}f} {unit}".strip()
    if len(values) == 1 or min(values) == max(values):
        return middle
    return f"{middle} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """How many times as long theirs took."""
    return f"{median(theirs) / median(ours):,.1f}x"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines) + "\n"


def surroundings() -> str:
    """What a figure depends on beside the code: processors, Python, and how busy the machine was with other things."""
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}, Airflow "
        f"{version('apache-airflow-core')}, boto3 {version('boto3')}, ministack {version('ministack')}; "
        f"load average {os.getloadavg()[1]:.1f} at the end of the run."
    )


def write_part(name: str, text: str) -> None:
    """Puts `text` in the place of the part `name` of the page, and leaves the other parts as they are."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if begin not in page:
        raise SystemExit(f"{PAGE} has no place for {begin}")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: f"{begin}\n\n{text.strip()}\n\n{end}", page), encoding="utf-8")
