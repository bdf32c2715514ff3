"""The same pipeline gives the same bytes wherever its job runs."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.fakes.podman import Podman
from tests.fakes.pods_api import pods_api
from tests.fakes.s3_server import CREDENTIALS
from tests.operators.staged import release_files, run_dag, stage
from windlass.runtime.job import Job, JobFiles, run_job

pytestmark = pytest.mark.airflow

VERSION = "0123456789abcdef"
CSV = b'id;name\r\n1;"a ""b"";\nc"\r\n\xff\x00;$(touch hacked) {out} `id`\n'
MODEL = {"list.txt": b"of the model\n", "weights.bin": bytes(range(256))}
SAID = "a b; touch hacked {data} $(touch hacked) 'x' \\ ü"
NUMBERS = {"step": -3, "name": "it's; $HOME", "empty": ""}
SCRIPT = (
    "cat {data} {model}/list.txt {model}/weights.bin > {out}; "
    "printf '<%s>' SAID {step} {name} {empty} >> {out}; "
    "ls {model} >> {out}; ls >> {out}; echo $HOME | tail -c 5 >> {out}; echo $LANG >> {out}"
)
DAG = f"""
from datetime import datetime, timedelta, timezone
from airflow.sdk import DAG
from probe.operators.deliver import Deliver
from probe.operators.job import JobOperator
from probe.operators.s3_to_file import S3ToFile

with DAG(dag_id="it", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
         params={{"said": {SAID!r}}}) as dag:
    take = S3ToFile(task_id="take", key="incoming/a.csv", outputs={{"data": "a.csv"}})
    count = JobOperator(
        task_id="count",
        execution_script={SCRIPT.replace("SAID", "{{ params.said }}")!r},
        docker_image="user",
        resource_flavor="small",
        execution_time=timedelta(seconds=60),
        inputs={{"data": take.output["data"], "model": "model:probe@{VERSION}"}},
        outputs={{"out": "out.bin"}},
        parameters={NUMBERS!r},
    )
    Deliver(task_id="deliver", to="result.bin", inputs={{"file": count.output["out"]}})
"""


@pytest.fixture
def s3(endpoint: str) -> Any:
    client = boto3.client("s3", endpoint_url=endpoint)
    client.put_object(Bucket="data", Key="dev/incoming/a.csv", Body=CSV)
    files = {
        name: {"key": f"files/{name}", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in MODEL.items()
    }
    root = f"dev/probe/{VERSION}"
    client.put_object(Bucket="models", Key=f"{root}/model.json", Body=json.dumps({"files": files}).encode())
    for name, content in MODEL.items():
        client.put_object(Bucket="models", Key=f"{root}/files/{name}", Body=content)
    return client


@pytest.fixture
def cluster(podman: Podman, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of an Airflow that reaches a cluster by the connection `cluster`."""
    with pods_api(podman, tmp_path / "pods", {"s3": CREDENTIALS}) as api:
        extra = {"kube_config": json.dumps(api.kubeconfig())}
        yield {"AIRFLOW_CONN_CLUSTER": json.dumps({"conn_type": "kubernetes", "extra": extra})}


def on_a_laptop(folder: Path) -> str:
    def fetch(port: str, into: Path) -> Path:
        into.mkdir(parents=True)
        for name, content in ({"a.csv": CSV} if port == "data" else MODEL).items():
            (into / name).write_bytes(content)
        return into / "a.csv" if port == "data" else into

    kept: dict[str, bytes] = {}
    files = JobFiles(fetch, lambda port, path: kept.update({port: path.read_bytes()}))
    job = Job(SCRIPT, timedelta(seconds=60), ("data", "model"), {"out": "out.bin"}, NUMBERS)
    run_job(job, folder, files, print, lambda script: script.text.replace("SAID", script.mark(SAID)))
    return hashlib.sha256(kept["out"]).hexdigest()


def in_airflow(folder: Path, s3: Any, jobs: dict[str, Any], more: dict[str, str]) -> str:
    root = stage(folder / "bundle", "probe", release_files(DAG), s3.meta.endpoint_url)
    settings = json.loads((root / "environment.json").read_text())
    settings |= {"flavors": {"small": {"cpus": 1, "memory": "64Mi", "gpus": 0}}, "images": {"user": "user:1"}}
    (root / "environment.json").write_text(json.dumps(settings | {"jobs": jobs}))
    s3.delete_object(Bucket="data", Key="dev/delivered/result.bin")
    ran = run_dag(root, "it", folder / "home", more)
    assert set(ran.states.values()) == {"success"}, ran.log[-8000:]
    return hashlib.sha256(s3.get_object(Bucket="data", Key="dev/delivered/result.bin")["Body"].read()).hexdigest()


def test_a_laptop_a_worker_docker_and_kubernetes_give_the_same_bytes(
    s3: Any, podman: Podman, cluster: dict[str, str], tmp_path: Path
) -> None:
    staged = {"stage_image": "stage:1"}
    docker = {"backend": "docker", "daemon": podman.socket, "network": "host", **staged}
    kubernetes = {"backend": "kubernetes", "connection": "cluster", "namespace": "jobs", "secrets": ["s3"], **staged}
    digests = {
        "laptop": on_a_laptop(tmp_path / "laptop"),
        "worker": in_airflow(tmp_path / "worker", s3, {"backend": "local"}, {}),
        "docker": in_airflow(tmp_path / "docker", s3, docker, {}),
        "kubernetes": in_airflow(tmp_path / "kubernetes", s3, kubernetes, cluster),
    }
    assert len(set(digests.values())) == 1, digests
    assert podman.left() == []
