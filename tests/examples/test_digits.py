"""The example is what it says: its own tests pass, it truly trains, and its pipeline truly scores in an Airflow."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.operators.staged import run_dag, stage
from windlass.adapters.download import Downloads
from windlass.adapters.s3 import open_bucket
from windlass.lint.check import check_project
from windlass.render.project import render_project
from windlass.runtime.process import run_script
from windlass.training.kept import find_version
from windlass.training.models import load_models
from windlass.training.testing import run_tests
from windlass.training.train import Origin, Outcome, Workshop, train
from windlass.training.versions import expected_version

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
ORIGIN = Origin(None, None, "2026-11-22T06:00:00+00:00")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    script = f"{sys.executable} make_data.py --out {folder}"
    copy = folder / "copy"
    shutil.copytree(DIGITS, copy)
    assert run_script(script, copy, timedelta(minutes=1), print).reason is None
    return folder


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_its_own_tests_pass_without_windlass() -> None:
    lines: list[str] = []
    tests = load_models(DIGITS)["digits"].tests
    assert tests
    assert run_tests(DIGITS, tests, lines.append).reason is None, "\n".join(lines)


def test_its_contract_tests_pass(tmp_path: Path) -> None:
    project = shutil.copytree(DIGITS, tmp_path / "digits")
    result = subprocess.run(
        [sys.executable, "-c", "from windlass.cli.main import main; main()", "test", "read_digits", "--json"],
        cwd=project,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    cases = json.loads(result.stdout)["cases"]
    assert [(case["case"], case["problems"]) for case in cases] == [
        ("read_digits/transform.score/four_images", []),
        ("read_digits/transform.score/white_image", []),
    ]


@pytest.mark.airflow
def test_it_is_trained_kept_and_scores_a_batch_in_airflow(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with moto_server("windlass-data", "models", "data") as endpoint:
        s3 = boto3.session.Session().client("s3", endpoint_url=endpoint)
        for name in ("train.csv", "holdout.csv"):
            s3.upload_file(str(data / name), "windlass-data", f"dev/datasets/digits/{name}")
        s3.upload_file(str(data / "incoming" / "batch.csv"), "data", "dev/incoming/digits/batch.csv")

        outcome = trained(endpoint)
        assert outcome.reasons == ()
        assert outcome.metrics["accuracy"] > 0.98
        assert outcome.version == expected_version(
            DIGITS, "digits", load_models(DIGITS)["digits"], Downloads(endpoint).digest
        )
        assert not trained(endpoint).trained
        kept = find_version(open_bucket("models", endpoint), "dev", "digits", outcome.version)
        assert kept
        assert sorted(kept.files) == ["digits.joblib", "images.py", "score.py"]

        root = stage(tmp_path / "bundle", "digits", rendered(outcome.version), endpoint)
        ran = run_dag(root, "read_digits", tmp_path / "home")
        assert set(ran.states.values()) == {"success"}, ran.log[-5000:]
        (key,) = keys(s3, "dev/delivered/")
        delivered = s3.get_object(Bucket="data", Key=key)["Body"].read()
        for name, file in kept.files.items():
            s3.download_file("models", f"dev/digits/{outcome.version}/{file.key}", str(tmp_path / name))

    by_hand = f"python score.py --images {data}/incoming/batch.csv --out by_hand.csv"
    assert run_script(by_hand, tmp_path, timedelta(minutes=1), print).reason is None
    assert delivered == (tmp_path / "by_hand.csv").read_bytes()
    labels = [row["label"] for row in rows((data / "holdout.csv").read_bytes())]
    right = sum(row["digit"] == label for row, label in zip(rows(delivered), labels, strict=False))
    assert right / len(rows(delivered)) > 0.95


def trained(endpoint: str) -> Outcome:
    """Training the example as it stands, its tests left out: they have a test of their own."""
    model = load_models(DIGITS)["digits"].model_copy(update={"tests": None})
    workshop = Workshop(Downloads(endpoint), open_bucket("models", endpoint), "dev", print)
    return train(DIGITS, "digits", model, workshop, ORIGIN, None)


def rendered(version: str) -> dict[str, bytes]:
    """The files of a release of the example, its model pinned to `version`."""
    report = check_project(DIGITS, None)
    assert report.problems == []
    return render_project(DIGITS, "digits", report.pipelines, report.catalog, {"digits": version}).files


def keys(s3: Any, prefix: str) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket="data", Prefix=prefix).get("Contents", [])]
