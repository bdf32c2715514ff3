"""The command lines of the model, on the real images."""

import csv
import json

import pytest

import score
import train
from images import PIXELS
from make_data import write_data


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


@pytest.fixture(scope="session")
def model(data):
    train_into(data, "digits.joblib")
    return data / "digits.joblib"


def train_into(data, name):
    train.main(["--train", f"{data}/train.csv", "--holdout", f"{data}/holdout.csv",
                "--model", f"{data}/{name}", "--metrics", f"{data}/metrics.json"])  # fmt: skip


def score_to(images, model, out):
    score.main(["--images", str(images), "--model", str(model), "--out", str(out)])


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_data_are_all_images_and_none_twice(data):
    assert len(rows(data / "train.csv")) + len(rows(data / "holdout.csv")) == 1797
    assert "label" not in rows(data / "incoming" / "batch.csv")[0]


def test_more_than_95_of_100_unseen_images_are_read_right(model):
    assert json.loads((model.parent / "metrics.json").read_text())["accuracy"] > 0.95


def test_training_twice_gives_the_same_bytes(data, model):
    train_into(data, "again.joblib")
    assert (data / "again.joblib").read_bytes() == model.read_bytes()


def test_scoring_gives_one_digit_for_each_image(data, model, tmp_path):
    score_to(data / "incoming" / "batch.csv", model, tmp_path / "out.csv")
    predictions = rows(tmp_path / "out.csv")
    labels = [row["label"] for row in rows(data / "holdout.csv")]
    assert [row["id"] for row in predictions] == [row["id"] for row in rows(data / "incoming" / "batch.csv")]
    right = sum(row["digit"] == label for row, label in zip(predictions, labels, strict=False))
    assert right / len(predictions) > 0.95


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,pixel_0\n1,2\n", r"column 'pixel_1' is missing \(63 in all\)"),
        (",".join(["label", *PIXELS]) + "\n", "column 'id' is missing"),
        (",".join(["id", *PIXELS]) + "\n", "holds no images"),
        (",".join(["id", *PIXELS]) + "\na,1\n", "batch.csv:2: 2 columns instead of 65"),
        (",".join(["id", *PIXELS]) + "\na" + ",1" * 63 + ",99\n", "batch.csv:2: a pixel is outside of 0 to 16"),
        (",".join(["id", *PIXELS]) + "\na" + ",1" * 63 + ",x\n", "batch.csv:2: a pixel is not a number"),
    ],
)
def test_a_wrong_batch_is_refused_and_nothing_is_written(model, tmp_path, content, message):
    (tmp_path / "batch.csv").write_text(content)
    with pytest.raises(SystemExit, match=message):
        score_to(tmp_path / "batch.csv", model, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
