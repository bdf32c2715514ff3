"""Images of digits as rows of a CSV file: 64 columns `pixel_0` to `pixel_63`, each from 0 (white) to 16 (black)."""

import csv
from pathlib import Path

import numpy as np

PIXELS = [f"pixel_{number}" for number in range(64)]
DARKEST = 16


def read_images(path: Path, first_column: str) -> tuple[list[str], np.ndarray]:
    """The values of `first_column` (the label or the id) and the images, one row each.

    ValueError names the file and the line of what does not fit.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if header != [first_column, *PIXELS]:
            raise ValueError(_wrong_header(path, header, [first_column, *PIXELS]))
        names, images = [], []
        for row in rows:
            if len(row) != len(header):
                raise ValueError(f"{path.name}:{rows.line_num}: {len(row)} columns instead of {len(header)}")
            names.append(row[0])
            images.append(_image(row[1:], f"{path.name}:{rows.line_num}"))
    if not images:
        raise ValueError(f"{path.name}: the file holds no images, only a header")
    return names, np.asarray(images, dtype=np.float64)


def _image(values: list[str], where: str) -> list[float]:
    try:
        image = [float(value) for value in values]
    except ValueError as error:
        raise ValueError(f"{where}: a pixel is not a number ({error})") from error
    if not all(0 <= pixel <= DARKEST for pixel in image):
        raise ValueError(f"{where}: a pixel is outside of 0 to {DARKEST}")
    return image


def _wrong_header(path: Path, header: list[str], wanted: list[str]) -> str:
    missing = [name for name in wanted if name not in header]
    extra = [name for name in header if name not in wanted]
    if missing:
        return f"{path.name}: column {missing[0]!r} is missing ({len(missing)} in all)"
    if extra:
        return f"{path.name}: column {extra[0]!r} is not expected; wanted {wanted[0]!r} and pixel_0 to pixel_63"
    return f"{path.name}: the columns must stand in the order {wanted[0]!r}, pixel_0 to pixel_63"
