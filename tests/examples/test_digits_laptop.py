"""The example on a laptop: trained once, then its pipeline runs by `windlass run`, from a copy, without an Airflow."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
import yaml

from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.jobs.laptop import Ran

pytestmark = pytest.mark.stack

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
ENVIRONMENT = {
    "flavors": {"cpu-1gb": {"cpus": 1, "memory": "1Gi"}},
    "images": {"python3-11": "python:3.11-slim"},
    "airflow": {"url": "http://127.0.0.1:1", "username": "nobody", "password": "${NOT_SET}"},
}


def test_the_example_is_scored_on_a_laptop_with_the_model_that_was_trained_last(tmp_path: Path) -> None:
    project = Path(shutil.copytree(DIGITS, tmp_path / "digits"))
    python, command = sys.executable, [sys.executable, "-c", "from windlass.cli.main import main; main()"]
    subprocess.run([python, "make_data.py", "--out", str(tmp_path)], cwd=project, check=True, capture_output=True)
    with moto_server("windlass-data", "windlass-models", "windlass-code") as endpoint:
        buckets = {name: f"windlass-{name}" for name in ("code", "models", "data")}
        (project / "environments").mkdir()
        written = yaml.safe_dump({**ENVIRONMENT, "s3": {**buckets, "endpoint": endpoint}})
        (project / "environments/dev.yml").write_text(written)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        s3 = boto3.client("s3", endpoint_url=endpoint, **keys)
        for name in ("train.csv", "holdout.csv"):
            s3.upload_file(str(tmp_path / name), "windlass-data", f"dev/datasets/digits/{name}")
        variables = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": endpoint, **CREDENTIALS}

        def windlass(*arguments: str) -> Ran:
            done = subprocess.run(
                [*command, *arguments], cwd=project, env=variables, capture_output=True, text=True, check=False
            )
            return Ran(done.returncode, done.stdout, done.stderr)

        trained = windlass("train", "--json")
        assert trained.code == 0, trained.err
        batch = tmp_path / "incoming" / "batch.csv"
        given = ("--input", f"images={batch}", "--date", "2026-01-31", "--env", "dev", "--json")
        ran = windlass("run", "read_digits", *given)
    assert ran.code == 0, ran.err
    found = Path(ran.json["folder"], "delivered/digits/2026-01-31/predictions.csv")
    with batch.open() as images, found.open() as predictions:
        assert len(list(csv.DictReader(predictions))) == len(list(csv.DictReader(images))) > 0
