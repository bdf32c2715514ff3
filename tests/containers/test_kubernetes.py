"""Jobs in pods: KubernetesPodOperator over an API that really runs them."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from tests.containers.cases import CASES, PRINTS, Case
from tests.containers.conftest import Ends, end_all, make_job, put, settings_for
from tests.fakes.podman import Podman
from tests.fakes.pods_api import Pod, PodsApi, pods_api, wait_until
from tests.fakes.s3_server import CREDENTIALS
from windlass.runtime.container_job import container_job
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.kubernetes_backend import _pod, resume_on_kubernetes, run_on_kubernetes
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage

pytestmark = pytest.mark.airflow
Make = Callable[..., tuple[Any, dict[str, Any]]]


@pytest.fixture(scope="module")
def cluster(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodsApi]:
    with pods_api(podman, tmp_path_factory.mktemp("pods"), {"s3": CREDENTIALS}) as api:
        yield api


@pytest.fixture(scope="module")
def settings(cluster: PodsApi, endpoint: str) -> Iterator[Settings]:
    connection = {"conn_type": "kubernetes", "extra": {"kube_config": json.dumps(cluster.kubeconfig())}}
    jobs = {"backend": "kubernetes", "connection": "cluster", "namespace": "jobs", "secrets": ["s3"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_CLUSTER", json.dumps(connection))
        yield settings_for(endpoint, jobs)


@pytest.fixture(scope="module")
def ends(
    settings: Settings, storage: Storage, podman: Podman, airflow_home: None, tmp_path_factory: pytest.TempPathFactory
) -> Ends:
    return end_all(run_on_kubernetes, settings, storage, podman, tmp_path_factory.mktemp("inputs"))


@pytest.mark.parametrize("image", ["user", "nobody"])
def test_files_come_in_and_go_out_whoever_the_image_runs_as(
    settings: Settings, storage: Storage, job: Make, podman: Podman, tmp_path: Path, image: str
) -> None:
    data = put(storage, tmp_path, "dev/x/a.csv", b"a\r\n\xff\x00\n")
    task, context = job("umask 077; cat {data} > {out}; echo said", inputs={"data": data}, outputs={"out": "out.csv"})
    task.docker_image = image
    kept = run_on_kubernetes(task, context, settings)
    storage.fetch("data", kept["out"]["key"], tmp_path / "back", kept["out"]["sha256"])
    assert (tmp_path / "back").read_bytes() == b"a\r\n\xff\x00\n"
    assert podman.left() == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_job_that_goes_wrong_ends_with_a_reason(ends: Ends, case: Case) -> None:
    ends.check(case)


def test_jobs_that_went_wrong_have_left_nothing(ends: Ends) -> None:
    assert ends.left == []


def test_the_script_sees_where_it_runs_and_no_credentials(settings: Settings, storage: Storage, job: Make) -> None:
    task, context = job("env > {out}; cat /proc/*/environ >> {out}", outputs={"out": "out.txt"})
    kept = run_on_kubernetes(task, context, settings)
    seen = b"".join(storage.chunks("data", kept["out"]["key"])).decode()
    assert "WINDLASS_TASK=job\n" in seen
    assert "WINDLASS_ENVIRONMENT=dev\n" in seen
    assert "AWS_" not in seen


def test_a_pod_asks_for_what_its_flavor_and_its_environment_say(
    settings: Settings, cluster: PodsApi, job: Make, storage: Storage
) -> None:
    from kubernetes.client import ApiClient

    from windlass.runtime.pod_spec import pod_arguments

    taint = {"key": "gpu", "operator": "Exists", "value": None, "effect": "NoSchedule"}
    big = {
        "cpus": 4,
        "memory": "16Gi",
        "gpus": 2,
        "disk": "20Gi",
        "tolerations": [taint],
        "node_selector": {"gpu": "a"},
    }
    jobs = {**settings.jobs, "node_selector": {"pool": "jobs"}, "service_account": "jobs", "pull_secrets": ["registry"]}
    task, context = job("true")
    there = replace(settings, flavors={"small": big}, jobs=jobs)
    planned = container_job(task, context, there, storage, wait=timedelta(minutes=10))
    pod = _pod(
        task, there, timedelta(minutes=10), pod_arguments(task, context["ti"], there, planned, timedelta(minutes=10))
    )
    document = ApiClient().sanitize_for_serialization(pod.build_pod_request_obj(context, dry_run=True))
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    spec = document["spec"]
    base, keep = spec["containers"]
    assert base["resources"] == {
        "requests": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "2"},
        "limits": {"memory": "16Gi", "nvidia.com/gpu": "2"},
    }
    assert spec["tolerations"] == [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert spec["nodeSelector"] == {"pool": "jobs", "gpu": "a"}
    assert spec["volumes"] == [{"name": "windlass", "emptyDir": {"sizeLimit": "20Gi"}}]
    assert spec["activeDeadlineSeconds"] == 60 + 10 * 60 + 30 * 60
    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("jobs", False)
    assert (spec["enableServiceLinks"], spec["imagePullSecrets"]) == (False, [{"name": "registry"}])
    assert not base.get("envFrom")
    assert keep["envFrom"] == spec["initContainers"][0]["envFrom"] == [{"secretRef": {"name": "s3"}}]


def test_a_hundred_megabytes_of_output_are_no_hundred_megabytes_of_log(
    settings: Settings, job: Make, podman: Podman, capsys: pytest.CaptureFixture[str]
) -> None:
    task, context = job(f"{PRINTS}; exit 5")
    with pytest.raises(RuntimeStop, match=r"ended with exit code 5 after .* its last line: 'end'"):
        run_on_kubernetes(task, context, settings)
    logged = capsys.readouterr().out
    assert "lines are left out here" in logged
    assert logged.count("0123456789" * 7) < 200_000
    assert podman.left() == []


def test_an_evicted_pod_is_a_reason_of_its_own(settings: Settings, cluster: PodsApi, job: Make, podman: Podman) -> None:
    task, context = job("echo begun; sleep 600")
    told = threading.Thread(target=lambda: evict_when_begun(cluster, podman))
    told.start()
    with pytest.raises(RuntimeStop, match="the pod was evicted from its node: The node was low on resource: memory"):
        run_on_kubernetes(task, context, settings)
    told.join()
    assert podman.left() == []


def evict_when_begun(cluster: PodsApi, podman: Podman) -> None:
    pod = begun(cluster, podman)
    pod.end("Evicted", "The node was low on resource: memory.")


def begun(cluster: PodsApi, podman: Podman) -> Pod:
    """The one pod, when its script has begun to print."""
    wait_until(lambda: cluster.pods and "running" in next(iter(cluster.pods.values())).states.get("base", {}))
    pod = next(iter(cluster.pods.values()))
    wait_until(lambda: "begun" in podman("logs", f"{pod.name}-base", check=False))
    return pod


def test_a_container_that_somebody_kills_is_a_reason_of_its_own(
    settings: Settings, cluster: PodsApi, job: Make, podman: Podman
) -> None:
    task, context = job("echo begun; sleep 600")
    told = threading.Thread(target=lambda: podman("kill", "--signal", "KILL", f"{begun(cluster, podman).name}-base"))
    told.start()
    with pytest.raises(RuntimeStop, match="the script ended unseen: its container was killed"):
        run_on_kubernetes(task, context, settings)
    told.join()
    assert podman.left() == []


def test_a_pod_that_is_deleted_by_somebody_is_a_reason_of_its_own(
    settings: Settings, cluster: PodsApi, job: Make, podman: Podman
) -> None:
    task, context = job("echo begun; sleep 600")
    told = threading.Thread(target=lambda: cluster.delete(("jobs", begun(cluster, podman).name), 0))
    told.start()
    with pytest.raises(RuntimeStop, match="the pod is gone: somebody deleted it, its node was drained"):
        run_on_kubernetes(task, context, settings)
    told.join()
    assert podman.left() == []


def test_a_task_that_is_stopped_ends_its_pod(settings: Settings, cluster: PodsApi, job: Make, podman: Podman) -> None:
    task, context = job("echo begun; sleep 600")
    said: list[str] = []

    def stop() -> None:
        begun(cluster, podman)
        try:
            task.on_kill()
        except RuntimeStop as reason:
            said.append(str(reason))

    told = threading.Thread(target=stop)
    told.start()
    with pytest.raises(RuntimeStop):
        run_on_kubernetes(task, context, settings)
    told.join()
    assert said == ["the task was told to stop while its script ran; the script was ended"]
    assert podman.left() == []


def test_the_next_try_deletes_the_pod_of_a_worker_that_died(
    settings: Settings, cluster: PodsApi, job: Make, podman: Podman
) -> None:
    worker = os.fork()
    if worker == 0:
        try:
            run_on_kubernetes(*make_job("echo begun; sleep 600"), settings)
        finally:
            os._exit(1)
    begun(cluster, podman)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    task, context = job("true")
    context["ti"].try_number = 2
    run_on_kubernetes(task, context, settings)
    assert cluster.beside[-1] == 0, "the earlier one was there when the next began"
    assert podman.left() == []


def test_a_deferred_job_is_waited_for_by_a_trigger_and_gives_the_same(
    settings: Settings, storage: Storage, job: Make, podman: Podman, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    deferrable = replace(settings, jobs={**settings.jobs, "deferrable": True})
    task, context = job("echo said; echo kept > {out}", outputs={"out": "out.txt"})
    context["ti"].start_date = datetime.now(UTC)
    with pytest.raises(TaskDeferred) as deferred:
        run_on_kubernetes(task, context, deferrable)
    assert deferred.value.method_name == "resume"
    event = asyncio.run(first_event(deferred.value.trigger))
    kept = resume_on_kubernetes(task, context, deferrable, event)
    assert b"".join(storage.chunks("data", kept["out"]["key"])) == b"kept\n"
    assert "said" in capsys.readouterr().out
    assert podman.left() == []


async def first_event(trigger: Any) -> Any:
    async for event in trigger.run():
        return event.payload
    return None
