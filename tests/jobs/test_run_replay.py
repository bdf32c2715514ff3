"""`windlass run` with the files of a run of an environment, and with models of an environment."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.jobs.laptop import MODEL, Laptop, job
from windlass.cli.run_replay import newest
from windlass.spec.environment import Buckets, RuntimeSettings
from windlass.spec.model import ModelVersion, StoredFile, model_key
from windlass.spec.state import Deployment, ProjectState, State

RUN_ID = "scheduled__2026-01-31T06:00:00+00:00"
TRANSFER = f"dev/transfer/p/{RUN_ID}"
SCORE = job(
    "cat {data} {parts}/* {model}/m.txt > {out}",
    ", inputs: {data: a.split.out, parts: a.cut.parts, model: model:m}, outputs: {out: o.csv}",
)
SPLIT = ", inputs: {data: a.take.data}, split: {input: data, rows: 1}, outputs: {out: b.csv}"
PIPELINE = f"""
  a:
    take: {{operator_type: s3_to_file, key: a.csv, outputs: {{data: a.csv}}}}
    split: {job("cat {data} > {out}", SPLIT)}
    cut: {{operator_type: split_csv, rows: 1, inputs: {{data: a.take.data}}, outputs: {{parts: part.csv}}}}
  b:
    score: {SCORE}
    keep: {{operator_type: deliver, inputs: {{data: b.score.out}}, to: o.csv}}
"""


@pytest.fixture
def endpoint() -> Iterator[str]:
    with moto_server("data", "models", "code") as address:
        yield address


@pytest.fixture
def laptop(tmp_path: Path, endpoint: str) -> Laptop:
    laptop = Laptop(tmp_path, f"s3: {{code: code, models: models, data: data, endpoint: {endpoint}}}\n")
    laptop.write("models/m.yml", MODEL)
    laptop.write("train.py", "")
    laptop.pipeline("p", PIPELINE)
    return laptop


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return boto3.client("s3", endpoint_url=endpoint)


def leave(s3: Any, path: str, content: str, sha256: str | None = None) -> None:
    body = content.encode()
    digest = sha256 or hashlib.sha256(body).hexdigest()
    s3.put_object(Bucket="data", Key=f"{TRANSFER}/{path}", Body=body, Metadata={"sha256": digest})


def keep_model(s3: Any, version: str, content: str, trained_at: str) -> None:
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    kept = ModelVersion(
        model="m", version=version, inputs={}, metrics={"accuracy": 1}, gates={},
        files={"m.txt": StoredFile(key="files/x/m.txt", sha256=sha256, size=len(content))},
        commit=None, job_url=None, trained_at=trained_at, seconds=1, tool_version="1",
    )  # fmt: skip
    s3.put_object(Bucket="models", Key=model_key("dev", "m", version), Body=kept.to_json())
    s3.put_object(Bucket="models", Key=f"dev/m/{version}/files/x/m.txt", Body=content.encode())


def make_live(s3: Any, version: str) -> None:
    state = State(
        serial=1,
        previous=None,
        environment=RuntimeSettings(name="dev", prefix="dev", s3=Buckets(code="code", models="models", data="data")),
        projects={"p": ProjectState(release="a" * 64, commit="c", models={"m": version})},
        deployment=Deployment(action="promote", project="p", release="a" * 64, commit="c", at="2026-11-22T10:00:00Z"),
    )
    s3.put_object(Bucket="code", Key="dev/state.json", Body=state.to_json())


def test_a_task_of_production_is_run_again_with_the_files_that_it_had(laptop: Laptop, s3: Any) -> None:
    leave(s3, "a.split__merge_out/1-0/b.csv", "an earlier try\n")
    leave(s3, "a.split__merge_out/2-0/b.csv", "id\nmerged\n")
    leave(s3, "a.split/1-0/b.csv", "a part\n")
    leave(s3, "a.cut/1-0/part-00000.csv", "one\n")
    leave(s3, "a.cut/1-0/part-00001.csv", "two\n")
    keep_model(s3, "1" * 16, "live\n", "2026-01-01T00:00:00+00:00")
    keep_model(s3, "2" * 16, "newer\n", "2026-02-01T00:00:00+00:00")
    make_live(s3, "1" * 16)
    for where in (f"dev:p:{RUN_ID}", f"s3://data/{TRANSFER}/b.score/1-0/o.csv"):
        more = ("--env", "dev") if where.startswith("s3:") else ()
        ran = laptop.run("p", "score", "--from-run", where, *more, "--json", **CREDENTIALS)
        assert ran.code == 0, ran.err
        out = Path(ran.json["folder"], "b.score/o.csv").read_text()
        assert out == "id\nmerged\none\ntwo\nlive\n"


def test_a_file_that_is_given_goes_before_that_of_the_run(laptop: Laptop, s3: Any) -> None:
    leave(s3, "a.split__merge_out/1-0/b.csv", "of the run\n")
    leave(s3, "a.cut/1-0/part-00000.csv", "one\n")
    keep_model(s3, "2" * 16, "newest\n", "2026-02-01T00:00:00+00:00")
    keep_model(s3, "1" * 16, "older\n", "2026-01-01T00:00:00+00:00")
    laptop.write("mine.csv", "mine\n")
    given = ("--input", "data=mine.csv", "--from-run", f"dev:p:{RUN_ID}")
    ran = laptop.run("p", "score", *given, "--json", **CREDENTIALS)
    assert ran.code == 0, ran.err  # nothing is live, so the newest version is taken
    assert Path(ran.json["folder"], "b.score/o.csv").read_text() == "mine\none\nnewest\n"


def test_a_file_that_was_changed_since_is_refused(laptop: Laptop, s3: Any) -> None:
    leave(s3, "a.split__merge_out/1-0/b.csv", "tampered\n", "0" * 64)
    ran = laptop.run("p", "score", "--from-run", f"dev:p:{RUN_ID}", **CREDENTIALS)
    assert ran.code == 2 and "is not what was kept" in ran.err


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("dev:p:other", "there is nothing in s3://data/dev/transfer/p/other/"),
        ("dev:p", "must read ENV:PIPELINE:RUN_ID"),
        ("dev:q:x", "the run is one of pipeline 'q', not of 'p'"),
        ("prd:p:x", "prd"),
        ("s3://data/dev/x", "must read s3://BUCKET/PREFIX/transfer/PIPELINE/RUN"),
    ],
)
def test_a_run_that_is_not_there_is_one_sentence(laptop: Laptop, s3: Any, where: str, message: str) -> None:
    ran = laptop.run("p", "score", "--from-run", where, **CREDENTIALS)
    assert ran.code == 2 and message in ran.err, ran.err


def test_the_last_try_that_has_the_file_wins_for_each_run_of_a_mapped_task() -> None:
    keys = [
        f"t/{path}" for path in ("s/1-0/a", "s/2-0/a", "s/10-0/a", "s/3-0/b", "s/1-1/a", "s/1-10/a", "s/x/a", "z/9-0/a")
    ]
    assert newest("t/", "s", "a", keys) == ["t/s/10-0/a", "t/s/1-1/a", "t/s/1-10/a"]
    assert json.dumps(newest("t/", "s", "c", keys)) == "[]"
