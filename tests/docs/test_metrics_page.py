"""The page on metrics shows what the command prints, and names every key of its JSON."""

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from tests.docs.test_pages import with_block
from windlass.cli import console
from windlass.delivery.metrics.four_keys import FourKeys
from windlass.delivery.metrics.shown import HEADINGS, cells

PAGE = Path(__file__).parents[2] / "docs/metrics.md"
CHURN = (1, 1, 0, 1, 2, 1, 1, 0, 1, 2, 1, 3)
DIGITS = (0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0)
BOTH = tuple(one + other for one, other in zip(CHURN, DIGITS, strict=True))
KEYS = (
    FourKeys("churn", 14, 1.09, 18_720.0, 31, 2, 0.1429, 2_280.0, 2, CHURN),
    FourKeys("digits", 3, 0.23, 181_440.0, 4, 0, 0.0, None, 0, DIGITS),
    FourKeys(None, 17, 1.32, 21_600.0, 35, 2, 0.1176, 2_280.0, 2, BOTH),
)


def test_the_page_shows_a_real_table(compare_golden: Callable[[Path, str], None]) -> None:
    table = console.table(*HEADINGS)
    for keys in KEYS:
        table.add_row(*cells(keys))
    shown = io.StringIO()
    Console(file=shown, width=120).print(table)
    lines = ["prod since 2026-08-25 10:00 UTC", *(line.rstrip() for line in shown.getvalue().splitlines())]
    compare_golden(PAGE, with_block(PAGE.read_text(), "<!-- shown -->", "\n".join(lines) + "\n"))


def test_the_page_names_every_key_of_the_json() -> None:
    page = PAGE.read_text()
    assert [key for key in KEYS[0].as_json() if f"`{key}`" not in page] == []
