"""From a merge request to a scored file in production, and back: everything here happened on real services."""

import csv
import io
import json
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.conftest import ROOT, Demo
from windlass.spec.airflow import Run
from windlass.spec.errors import TransientError
from windlass.stack.settings import REGION
from windlass.stack.stack import Stack

pytestmark = pytest.mark.e2e

ENVIRONMENTS = ("dev", "stage", "prod")


def client(stack: Stack, user: str) -> Any:
    """S3 as one of the stack's users, or as `root`, who may read what nobody else needs to."""
    key = stack.settings().root if user == "root" else stack.credentials(user)
    return boto3.client(
        "s3",
        endpoint_url=stack.url("s3"),
        region_name=REGION,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
    )


def keys(demo: Demo, bucket: str, prefix: str = "") -> list[str]:
    pages = client(demo.stack, "operator").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def content(demo: Demo, bucket: str, key: str, user: str = "operator") -> bytes:
    body: bytes = client(demo.stack, user).get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def states(demo: Demo) -> dict[str, dict[str, Any]]:
    done = demo.windlass("status", "--json")
    assert done.returncode == 0, done.stderr
    return {found["environment"]: found for found in json.loads(done.stdout)}


def history(demo: Demo, environment: str) -> list[dict[str, Any]]:
    done = demo.windlass("history", environment, "--verify", "--json")
    assert done.returncode == 0, done.stderr
    records: list[dict[str, Any]] = json.loads(done.stdout)["records"]
    return records


def finished(demo: Demo, environment: str, run: Run, seconds: float = 150) -> Run:
    api, deadline = demo.airflow(environment), time.monotonic() + seconds
    while run.state not in ("success", "failed"):
        assert time.monotonic() < deadline, f"{run.run_id} is still {run.state}"
        time.sleep(1)
        with suppress(TransientError):  # an Airflow on SQLite may hold its answer back for a while
            run = api.run(run.dag_id, run.run_id)
    return run


# -- the way up


def test_the_demo_ends_with_the_delivered_rows_and_the_addresses(demo: Demo) -> None:
    for output in demo.outputs:
        assert "id,digit,confidence" in output
        assert all(demo.stack.url(name) in output for name in ENVIRONMENTS)
    print(f"\nfirst demo {demo.seconds[0]:.0f} s, second {demo.seconds[1]:.0f} s")


def test_each_event_ran_its_own_jobs_and_no_other(demo: Demo) -> None:
    output = demo.outputs[0]
    merge_request, main, tag = (output.index(f"rehearse {event}") for event in ("merge-request", "main", "tag"))
    parts = {"merge request": output[merge_request:main], "main": output[main:tag], "tag": output[tag:]}
    jobs = {name: set(re.findall(r"digits:([a-z:-]+)\s+finished", part)) for name, part in parts.items()}
    trained = {"train:jobs", "train:models", "train:digits"}
    assert jobs == {
        "merge request": {"lint", "test", *trained, "render", "plan", "gate:prod:merge-request"},
        "main": {"lint", "test", *trained, "release", "promote:dev", "promote:stage"},
        "tag": {"promote:prod"},
    }


def test_production_runs_the_very_bytes_that_dev_and_stage_ran(demo: Demo) -> None:
    live = {name: found["projects"]["digits"] for name, found in states(demo).items()}
    digest = live["prod"]["release"]
    assert live["dev"]["release"] == live["stage"]["release"] == digest
    archives = {content(demo, "windlass-code", f"{name}/releases/digits/{digest}.tar.gz") for name in ENVIRONMENTS}
    assert len(archives) == 1
    assert live["prod"]["tag"] == "v0.1.1"
    assert live["prod"]["models"] == live["dev"]["models"]


def test_the_delivered_file_is_what_the_released_model_reads_in_the_images(demo: Demo, tmp_path: Path) -> None:
    version = states(demo)["prod"]["projects"]["digits"]["models"]["digits"]
    described = json.loads(content(demo, "windlass-models", f"prod/digits/{version}/model.json"))
    for name, stored in described["files"].items():
        body = content(demo, "windlass-models", f"prod/digits/{version}/{stored['key']}")
        (tmp_path / Path(name).name).write_bytes(body)
    (tmp_path / "images.csv").write_bytes(content(demo, "windlass-data", "prod/incoming/digits/batch.csv"))
    command = [sys.executable, "score.py", "--images", "images.csv", "--out", "again.csv"]
    subprocess.run(command, cwd=tmp_path, check=True)
    delivered = max(keys(demo, "windlass-data", "prod/delivered/digits/"))
    assert content(demo, "windlass-data", delivered) == (tmp_path / "again.csv").read_bytes()
    holdout = content(demo, "windlass-data", "dev/datasets/digits/holdout.csv").decode()
    labels = [row["label"] for row in csv.DictReader(io.StringIO(holdout))]
    read = [row["digit"] for row in csv.DictReader((tmp_path / "again.csv").open())]
    right = sum(label == digit for label, digit in zip(labels, read, strict=False))
    assert len(read) == 200
    assert right / len(read) >= 0.95


def test_the_same_inputs_are_trained_once_for_all_pipelines_and_environments(demo: Demo) -> None:
    versions = {key.split("/")[2] for key in keys(demo, "windlass-models") if key.endswith("/model.json")}
    assert len(versions) == 1
    trained = [
        content(demo, "windlass-models", f"{name}/digits/{versions.copy().pop()}/model.json") for name in ENVIRONMENTS
    ]
    assert len(set(trained)) == 1


def test_the_ledgers_are_whole_and_tell_both_deliveries(demo: Demo) -> None:
    for environment in ENVIRONMENTS:
        promoted = [record["deployment"]["action"] for record in history(demo, environment)]
        assert promoted[-2:] == ["promote", "promote"]
    assert [record["deployment"]["tag"] for record in history(demo, "prod")][-2:] == ["v0.1.1", "v0.1.0"]


def test_the_keys_in_s3_are_those_of_the_design(demo: Demo) -> None:
    shapes = {re.sub(r"[0-9a-f]{12,64}|\d{4}-\d\d-\d\d|\d+(?=[-./])", "*", key) for key in keys(demo, "windlass-code")}
    for environment in ENVIRONMENTS:
        expected = {"state.json", "states/*-*.json", "ledger/*.json"}
        expected |= {"releases/digits/*.tar.gz", "provenance/digits/*/*.json"}
        assert {f"{environment}/{key}" for key in expected} <= shapes
    print("\n" + "\n".join(sorted(shapes)))


# -- who may what


@pytest.mark.parametrize(
    ("user", "own", "key"),
    [("airflow-dev", "windlass-data", "dev/transfer/allowed"), ("deliver-dev", "windlass-models", "dev/allowed")],
)
def test_the_credentials_of_dev_cannot_write_below_prod(demo: Demo, user: str, own: str, key: str) -> None:
    s3 = client(demo.stack, user)
    s3.put_object(Bucket=own, Key=key, Body=b"x")
    for bucket in ("windlass-code", "windlass-models", "windlass-data"):
        with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key="prod/forbidden", Body=b"x")
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.get_object(Bucket="windlass-code", Key="prod/state.json")


def test_no_secret_of_the_stack_is_in_what_the_demo_printed_or_stored(demo: Demo) -> None:
    stack = demo.stack
    secrets = {stack.credentials(user).secret_access_key for user in ("operator", "deliver-prod", "airflow-prod")}
    secrets |= {stack.settings().operator_token}
    passwords = {stack.airflow_login(name)["WINDLASS_AIRFLOW_PASSWORD"] for name in ENVIRONMENTS}
    assert not [secret for secret in secrets if any(secret in output for output in demo.outputs)]
    for key in keys(demo, "windlass-code"):
        body = content(demo, "windlass-code", key, "root")
        assert not [secret for secret in secrets | passwords if secret.encode() in body], key


# -- the way back


def test_a_rollback_is_one_swap_and_airflow_follows(demo: Demo) -> None:
    before = states(demo)["prod"]
    serials = len(history(demo, "prod"))
    began = time.monotonic()
    done = demo.windlass("rollback", "prod", "--reason", "a rehearsal", "--no-verify", "--json")
    swapped = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    after = states(demo)["prod"]
    assert after["projects"]["digits"]["tag"] == "v0.1.0"
    assert after["projects"]["digits"]["release"] != before["projects"]["digits"]["release"]
    assert len(history(demo, "prod")) == serials + 1
    verified = demo.windlass("verify", "prod")
    assert verified.returncode == 0, verified.stderr
    seen = time.monotonic() - began
    again = demo.windlass("rollback", "prod")
    assert again.returncode == 0, again.stderr
    assert states(demo)["prod"]["state"] == after["state"], "asking for the same rollback again changes nothing"
    print(f"\nrollback: {swapped:.1f} s as a whole command, {seen:.1f} s until Airflow showed it")


# -- bad input and bad times, each with its exit code and one sentence


def test_a_release_that_was_tampered_with_goes_no_further(demo: Demo) -> None:
    digest = states(demo)["dev"]["projects"]["digits"]["release"]
    key, before = f"dev/releases/digits/{digest}.tar.gz", states(demo)["stage"]
    original = content(demo, "windlass-code", key)
    operator = client(demo.stack, "operator")
    operator.put_object(Bucket="windlass-code", Key=key, Body=original[:-10] + bytes(10))
    operator.delete_object(Bucket="windlass-code", Key=f"stage/releases/digits/{digest}.tar.gz")
    try:
        done = demo.windlass("promote", "--to", "stage", "--release", digest, environment="stage")
        assert (done.returncode, digest[:12] in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr
        assert states(demo)["stage"] == before
    finally:
        operator.put_object(Bucket="windlass-code", Key=key, Body=original)
        operator.put_object(Bucket="windlass-code", Key=f"stage/releases/digits/{digest}.tar.gz", Body=original)


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "words"),
    [
        (["promote", "--to", "prdo"], {}, 2, "did you mean 'prod'"),
        (["status"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 75, "127.0.0.1:9"),
        (["status"], {"AWS_ACCESS_KEY_ID": "AKIAWRONGWRONGWRONG0"}, 3, "windlass-code"),
        (["status"], {"AWS_SECRET_ACCESS_KEY": "wrong"}, 3, "windlass-code"),
        (["verify", "prod"], {"WINDLASS_AIRFLOW_URL": "http://127.0.0.1:9"}, 75, "127.0.0.1:9"),
        (["verify", "prod"], {"WINDLASS_AIRFLOW_PASSWORD": "wrong"}, 3, "airflow.password"),
        (["verify", "prod"], {"WINDLASS_AIRFLOW_URL": ""}, 2, "WINDLASS_AIRFLOW_URL"),
        (["promote", "--to", "prod", "--commit", "0" * 40], {}, 2, "0" * 12),
        (["rollback", "prod", "--to", "v9.9.9"], {}, 2, "v9.9.9"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_one_sentence_and_an_exit_code(
    demo: Demo, arguments: list[str], variables: dict[str, str], code: int, words: str
) -> None:
    done = demo.windlass(*arguments, **variables)
    assert done.returncode == code, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: "), done.stderr
    assert words in last
    assert "Traceback" not in done.stderr


def test_a_second_stack_up_changes_nothing(demo: Demo) -> None:
    before = {status.service: status.pid for status in demo.stack.status()}
    demo.stack.up()
    assert {status.service: status.pid for status in demo.stack.status()} == before
    assert ROOT not in demo.home.parents
