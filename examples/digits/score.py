"""Reads the digits in a file of images: one row `id,digit,confidence` for each of them."""

import argparse
import csv
import sys
from pathlib import Path

import joblib
import sklearn

from images import read_images

MODEL = Path(__file__).with_name("digits.joblib")


def score(images_path: Path, model_path: Path, out: Path) -> int:
    """Writes the predictions to `out` and returns their number.

    joblib runs what a model file says, so only load files that windlass has fetched: it checks their digests.
    """
    kept = joblib.load(model_path)
    if kept["scikit-learn"] != sklearn.__version__:
        raise ValueError(
            f"{model_path.name} was trained with scikit-learn {kept['scikit-learn']}, here is {sklearn.__version__}"
        )
    ids, images = read_images(images_path, "id")
    shares = kept["classifier"].predict_proba(images)
    digits = kept["classifier"].classes_[shares.argmax(axis=1)]
    with out.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["id", "digit", "confidence"])
        rows.writerows(zip(ids, digits, [f"{share:.3f}" for share in shares.max(axis=1)], strict=True))
    return len(ids)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="CSV: id, pixel_0 to pixel_63")
    parser.add_argument("--model", type=Path, default=MODEL, help="the trained model  [default: beside this file]")
    parser.add_argument("--out", type=Path, required=True, help="where to write the predictions (CSV)")
    given = parser.parse_args(arguments)
    try:
        count = score(given.images, given.model, given.out)
    except (OSError, ValueError) as error:
        sys.exit(f"score.py: {error}")
    print(f"read {count} images")


if __name__ == "__main__":
    main()
