"""The operators in a real Airflow, against a real S3 server; the DAGs are written as windlass renders them."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.operators.staged import Ran, release_files, run_dag, stage

pytestmark = pytest.mark.airflow

VERSION = "0123456789abcdef"
HEADER = """
from datetime import datetime, timedelta, timezone
from airflow.sdk import DAG
from probe.operators.deliver import Deliver
from probe.operators.job import JobOperator
from probe.operators.s3_to_file import S3ToFile

def job(task_id, script, **arguments):
    return JobOperator(task_id=task_id, execution_script=script, docker_image="python3-11",
                       execution_time=timedelta(seconds=20), **arguments)

with DAG(dag_id="it", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
         params={"said": "a b; touch hacked {images} $(touch hacked)"}) as dag:
"""
GOOD = (
    HEADER
    + """
    take = S3ToFile(task_id="take", key="incoming/{{ ds[:2] }}/words.txt", outputs={"images": "words.txt"})
    count = job(
        "count",
        "cat {images} {model}/list.txt > {out}; printf '%s\\\\n' {{ params.said }} >> {out}; ls >> {out}; env > {seen}",
        inputs={"images": take.output["images"], "model": "model:probe@0123456789abcdef"},
        outputs={"out": "out.txt", "seen": "seen.txt"},
    )
    Deliver(task_id="deliver", to="probe/{ds}/out.txt", inputs={"file": count.output["out"]})
    Deliver(task_id="seen", to="probe/{run_id}/seen.txt", inputs={"file": count.output["seen"]})
"""
)
BAD = (
    HEADER
    + """
    gone = S3ToFile(task_id="gone", key="incoming/nothing.csv", outputs={"x": "x.csv"})
    out = S3ToFile(task_id="out", key="../prod/secret.csv", outputs={"x": "x.csv"})
    job("exits", "echo last words; exit 3")
    job("writes_nothing", "true", outputs={"out": "out.csv"})
    job("writes_empty", ": > {out}", outputs={"out": "out.csv"})
    job("quoted", "echo '{{ params.said }}'")
    job("undefined", "echo {{ nonsense }}")
    job("told_to_stop", "kill -TERM $(ps -o ppid= -p $(ps -o ppid= -p $PPID)); sleep 15")
    job("unpinned", "true", inputs={"model": "model:probe"})
    job("no_model", "true", inputs={"model": "model:probe@ffffffffffffffff"})
    job("tampered", "true", inputs={"model": "model:bad@0123456789abcdef"})
    for number, to in enumerate(["../stage/x", "/x", "a//b", "{date}/x"]):
        file = {"key": "dev/k", "sha256": "", "size": 1, "name": "k"}
        Deliver(task_id=f"leads_out_{number}", to=to, inputs={"x": file})
    Deliver(task_id="nothing", to="x", inputs={"x": None})
"""
)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with moto_server("code", "models", "data") as endpoint:
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        )
        client.put_object(Bucket="data", Key="dev/incoming/20/words.txt", Body=b"words\n")
        content = b"of the model\n"
        for model, sha256 in {"probe": hashlib.sha256(content).hexdigest(), "bad": "0" * 64}.items():
            described = {"files": {"list.txt": {"key": "files/8f/list.txt", "sha256": sha256, "size": len(content)}}}
            folder = f"dev/{model}/{VERSION}"
            client.put_object(Bucket="models", Key=f"{folder}/model.json", Body=json.dumps(described).encode())
            client.put_object(Bucket="models", Key=f"{folder}/files/8f/list.txt", Body=content)
        yield client


def run(s3: Any, tmp_path_factory: pytest.TempPathFactory, dag: str) -> Ran:
    folder = tmp_path_factory.mktemp("airflow")
    root = stage(folder / "bundle", "probe", release_files(dag), s3.meta.endpoint_url)
    return run_dag(root, "it", folder / "home")


@pytest.fixture(scope="module")
def good(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(s3, tmp_path_factory, GOOD)


@pytest.fixture(scope="module")
def bad(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(s3, tmp_path_factory, BAD)


def keys(s3: Any, prefix: str) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket="data", Prefix=prefix).get("Contents", [])]


def read(s3: Any, key: str) -> str:
    content: bytes = s3.get_object(Bucket="data", Key=key)["Body"].read()
    return content.decode()


def test_files_go_from_task_to_task_and_are_delivered_under_the_runs_date(s3: Any, good: Ran) -> None:
    assert set(good.states.values()) == {"success"}, good.log[-5000:]
    date = good.run_id.removeprefix("manual__")[:10]
    delivered = read(s3, f"dev/delivered/probe/{date}/out.txt").splitlines()
    assert delivered[:2] == ["words", "of the model"]


def test_a_template_value_reaches_the_shell_as_one_word(s3: Any, good: Ran) -> None:
    (key,) = [key for key in keys(s3, "dev/delivered/probe/") if key.endswith("out.txt")]
    # the listing of the working folder after it would show the file `hacked`
    assert read(s3, key).splitlines()[2:] == ["a b; touch hacked {images} $(touch hacked)"]


def test_a_job_sees_no_credentials_of_its_worker(s3: Any, good: Ran) -> None:
    seen = read(s3, f"dev/delivered/probe/{good.run_id}/seen.txt")
    names = {line.partition("=")[0] for line in seen.splitlines()}
    said = {name for name in names if name.startswith("WINDLASS_")}
    assert names - said <= {"PATH", "HOME", "LANG", "PWD", "PYTHONUNBUFFERED", "SHLVL", "TMPDIR", "_"}
    of_the_run = {"PIPELINE", "TASK", "RUN_ID", "ENVIRONMENT", "TRY", "MAP_INDEX"}
    assert said == {f"WINDLASS_{name}" for name in of_the_run}


def test_files_between_tasks_lie_under_run_task_try_and_index(s3: Any, good: Ran) -> None:
    folder = f"dev/transfer/it/{good.run_id}"
    assert keys(s3, "dev/transfer/") == [
        f"{folder}/count/1-0/out.txt",
        f"{folder}/count/1-0/seen.txt",
        f"{folder}/take/1-0/words.txt",
    ]


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("gone", "there is no object s3://data/dev/incoming/nothing.csv"),
        ("out", "must be relative to the environment's prefix, without '..'"),
        ("exits", "the script ended with exit code 3 after"),
        ("exits", "its last line: 'last words'"),
        ("writes_nothing", "output 'out' (out.csv) was not written; it must write to {out}"),
        ("writes_empty", "the script left output 'out' (out.csv) empty"),
        ("quoted", "stands inside quotes, a comment or a here-document"),
        ("undefined", "execution_script: 'nonsense' is undefined"),
        ("told_to_stop", "the task was told to stop while its script ran"),
        ("unpinned", "'model:probe' names no version; only a release pins it"),
        ("no_model", "there is no object s3://models/dev/probe/ffffffffffffffff/model.json"),
        ("tampered", "is not what was kept: SHA-256 8f39f1b20120ff39..."),
        ("leads_out_0", "to: '../stage/x' is not a path below delivered/"),
        ("leads_out_1", "to: '/x' is not a path below delivered/"),
        ("leads_out_2", "to: 'a//b' is not a path below delivered/"),
        ("leads_out_3", "unknown placeholder {date}; valid: {ds}, {run_id}"),
        ("nothing", "input 'x': the task before has produced nothing"),
    ],
)
def test_what_goes_wrong_ends_the_task_with_one_sentence(bad: Ran, task: str, reason: str) -> None:
    assert bad.states[task] == "failed"
    assert reason in bad.log


def test_a_task_that_ended_badly_leaves_nothing_in_s3(s3: Any, bad: Ran) -> None:
    assert not [key for key in keys(s3, "dev/transfer/") if bad.run_id in key]
    assert not [key for key in keys(s3, "") if key.startswith(("prod/", "dev/stage"))]
