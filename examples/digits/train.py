"""Trains the digit reader and measures it on images that it has not seen."""

import argparse
import json
import sys
from pathlib import Path

import joblib
import numpy as np
import sklearn
from sklearn.neighbors import KNeighborsClassifier

from images import read_images


def train(path: Path, neighbours: int) -> KNeighborsClassifier:
    """A classifier that has learnt the labelled images in `path`."""
    labels, images = read_images(path, "label")
    if neighbours > len(images):
        raise ValueError(f"{path.name}: {len(images)} images are too few for {neighbours} neighbours")
    return KNeighborsClassifier(n_neighbors=neighbours, weights="distance").fit(images, np.asarray(labels))


def measure(classifier: KNeighborsClassifier, path: Path) -> dict[str, float]:
    """How well the labelled images in `path` are read: the share read right, over all and for the worst digit."""
    labels, images = read_images(path, "label")
    right = classifier.predict(images) == np.asarray(labels)
    recalls = [right[np.asarray(labels) == label].mean() for label in sorted(set(labels))]
    return {"accuracy": float(right.mean()), "lowest_recall": float(min(recalls)), "holdout_images": len(labels)}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="CSV: label, pixel_0 to pixel_63")
    parser.add_argument("--holdout", type=Path, required=True, help="CSV of the same form, to measure on")
    parser.add_argument("--neighbours", type=int, default=3)
    parser.add_argument("--model", type=Path, required=True, help="where to write the model")
    parser.add_argument("--metrics", type=Path, required=True, help="where to write the metrics (JSON)")
    given = parser.parse_args(arguments)
    try:
        classifier = train(given.train, given.neighbours)
        metrics = measure(classifier, given.holdout)
    except ValueError as error:
        sys.exit(f"train.py: {error}")
    joblib.dump({"classifier": classifier, "scikit-learn": sklearn.__version__}, given.model, compress=3)
    given.metrics.write_text(json.dumps(metrics, indent=2) + "\n")
    print(f"accuracy {metrics['accuracy']:.4f} on {metrics['holdout_images']} images")


if __name__ == "__main__":
    main()
