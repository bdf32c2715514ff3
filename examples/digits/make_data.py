"""Writes the data of this example from the UCI handwritten digits that ship inside scikit-learn (1,797 images)."""

import argparse
import csv
from pathlib import Path

from sklearn.datasets import load_digits

from images import PIXELS

BATCH = 200


def write_data(folder: Path) -> None:
    """Writes train.csv (four of five images), holdout.csv (the fifth) and incoming/batch.csv; always the same bytes."""
    digits = load_digits()
    rows = [[int(label), *map(int, image)] for label, image in zip(digits.target, digits.data, strict=True)]
    holdout = rows[4::5]
    _write(folder / "train.csv", "label", [row for number, row in enumerate(rows) if number % 5 != 4])
    _write(folder / "holdout.csv", "label", holdout)
    batch = [[f"image-{number:04}", *row[1:]] for number, row in enumerate(holdout[:BATCH])]
    _write(folder / "incoming" / "batch.csv", "id", batch)


def _write(path: Path, first_column: str, rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([first_column, *PIXELS])
        writer.writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("data"), help="folder to write to  [default: data]")
    write_data(parser.parse_args().out)
