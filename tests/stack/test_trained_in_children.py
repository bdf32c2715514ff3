"""Each model of a repository is trained by a job of its own, in a child pipeline that the rehearsal really runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from windlass.adapters.s3 import open_bucket
from windlass.stack.publish import Remote
from windlass.stack.rehearsal import Rehearsal, rehearse
from windlass.stack.stack import Stack

from .conftest import Checkout

EXAMPLE = Path(__file__).parents[2] / "examples/digits"
TRAINING = "include: [{project: platform/windlass, ref: main, file: ci/train.yml, inputs: {project: readers}}]\n"
AND_RELEASE = TRAINING.replace("ci/train.yml", "[ci/train.yml, ci/release.yml]")


@pytest.fixture
def bucket(small_stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The bucket of models; the example's data are in S3."""
    for name, value in small_stack.operator_variables("dev").items():
        monkeypatch.setenv(name, value)
    subprocess.run([sys.executable, "make_data.py", "--out", tmp_path / "data"], cwd=EXAMPLE, check=True)
    for name in ("train.csv", "holdout.csv"):
        open_bucket("windlass-data").put(f"dev/datasets/digits/{name}", (tmp_path / "data" / name).read_bytes())
    return open_bucket("windlass-models")


@pytest.fixture
def readers(tmp_path: Path) -> Checkout:
    """The example with two models, of which one demands what none reaches."""
    checkout = Checkout(tmp_path / "readers", Remote("http://127.0.0.1:1", ""))
    caches = shutil.ignore_patterns("__pycache__", ".*_cache")
    shutil.copytree(EXAMPLE, checkout.folder, dirs_exist_ok=True, ignore=caches)
    digits = (EXAMPLE / "models/digits.yml").read_text().replace("tests: python -m pytest -q tests\n", "")
    strict = digits.replace("at_least: 0.95", "at_least: 0.9999").replace("neighbours: 3", "neighbours: 1")
    files = {"models/digits.yml": digits, "models/strict.yml": strict, "__gitlab-ci__yml": AND_RELEASE}
    checkout.commit("Two models", **files)
    return checkout


@pytest.mark.stack
@pytest.mark.usefixtures("rsync")
def test_each_model_is_a_job_and_one_that_fails_its_gate_keeps_the_release_back(
    small_stack: Stack, bucket, readers: Checkout
) -> None:
    lines: list[str] = []

    def run() -> tuple[Rehearsal, dict[str, str]]:
        lines.clear()
        done = rehearse(small_stack, readers.folder, "main", output=lines.append)
        print("\n".join(lines))
        return done, {job.name.removeprefix("readers:").removeprefix("train:"): job.result for job in done.jobs}

    def said(job: str) -> str:
        return "\n".join(line for line in lines if line.startswith(f"readers:train:{job} "))

    refused, results = run()
    assert not refused.ok
    assert results == {
        "jobs": "passed",
        "models": "failed",
        "digits": "passed",
        "strict": "failed",
        "release": "skipped",
    }
    assert "model strict: metric 'accuracy' is" in said("strict")
    assert list(results)[:4] == ["jobs", "models", "digits", "strict"]
    kept = list(bucket.list("dev/digits/"))
    assert any(key.endswith("/model.json") for key in kept)
    assert not list(bucket.list("dev/strict/"))

    strict = readers.folder / "models/strict.yml"
    readers.commit("Demand less", **{"models/strict.yml": strict.read_text().replace("0.9999", "0.9")})
    accepted, results = run()
    assert accepted.ok
    assert results == {
        "jobs": "passed",
        "models": "passed",
        "digits": "passed",
        "strict": "passed",
        "release": "passed",
    }
    assert "already there" in said("digits")
    assert "trained" in said("strict")
    assert list(bucket.list("dev/digits/")) == kept

    shutil.rmtree(readers.folder / "models")
    readers.commit("No models any more", **{"__gitlab-ci__yml": TRAINING})
    nothing, results = run()
    assert nothing.ok
    assert results == {"jobs": "passed", "models": "passed", "nothing": "passed"}
    assert "nothing to train" in said("nothing")
