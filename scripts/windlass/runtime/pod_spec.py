"""The pod of a job on Kubernetes: an init container brings the files, `base` is the job, `keep` keeps what it wrote."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from kubernetes.client import models as k8s

from .container_job import ContainerJob, s3_variables, stage_image
from .container_scripts import JOB_COMMAND, SHARED
from .settings import Settings

_VOLUME = "windlass"
_FILES_TIME = timedelta(minutes=30)
_SMALL = {"cpu": "100m", "memory": "128Mi"}
ANNOTATIONS = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
    "eks.amazonaws.com/skip-containers": "base",  # the role of the service account is not for the job
}


def pod_arguments(task: Any, instance: Any, settings: Settings, job: ContainerJob, start: timedelta) -> dict[str, Any]:
    """What KubernetesPodOperator is told of the pod."""
    jobs, flavor = settings.jobs, job.flavor
    deadline = task.execution_time + start + _FILES_TIME
    return {
        "name": f"{instance.dag_id}-{instance.task_id}".replace("_", "-").replace(".", "-").lower()[:50],
        "namespace": jobs.get("namespace"),
        "image": job.image,
        "cmds": list(JOB_COMMAND),
        "labels": {"windlass-of": of_task(instance)},
        "annotations": ANNOTATIONS,
        "volumes": [_volume(flavor)],
        "volume_mounts": [_mount()],
        "container_resources": _resources(flavor),
        "container_security_context": k8s.V1SecurityContext(allow_privilege_escalation=False),
        "node_selector": {**jobs.get("node_selector", {}), **flavor.get("node_selector", {})},
        "tolerations": [_toleration(each) for each in [*jobs.get("tolerations", []), *flavor.get("tolerations", [])]],
        "service_account_name": jobs.get("service_account"),
        "automount_service_account_token": False,
        "image_pull_secrets": [k8s.V1LocalObjectReference(name=name) for name in jobs.get("pull_secrets", [])],
        "init_containers": [_of_files("stage", job.stage, settings)],
        "full_pod_spec": k8s.V1Pod(
            metadata=k8s.V1ObjectMeta(),
            spec=k8s.V1PodSpec(
                containers=[k8s.V1Container(name="base"), _of_files("keep", job.keep, settings)],
                enable_service_links=False,
            ),
        ),
        "active_deadline_seconds": int(deadline.total_seconds()),
        "termination_grace_period": 15,
    }


def of_task(instance: Any) -> str:
    """A label that all tries of a task in a run share."""
    parts = (instance.dag_id, instance.run_id, instance.task_id, str(instance.map_index))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _of_files(name: str, command: list[str], settings: Settings) -> k8s.V1Container:
    return k8s.V1Container(
        name=name,
        image=stage_image(settings),
        command=command,
        env=[k8s.V1EnvVar(name=key, value=value) for key, value in s3_variables(settings).items()],
        env_from=[
            k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=secret))
            for secret in settings.jobs.get("secrets", [])
        ],
        volume_mounts=[_mount()],
        resources=k8s.V1ResourceRequirements(requests=_SMALL),
        security_context=k8s.V1SecurityContext(
            allow_privilege_escalation=False, run_as_non_root=True, capabilities=k8s.V1Capabilities(drop=["ALL"])
        ),
    )


def _mount() -> k8s.V1VolumeMount:
    return k8s.V1VolumeMount(name=_VOLUME, mount_path=SHARED)


def _volume(flavor: Mapping[str, Any]) -> k8s.V1Volume:
    return k8s.V1Volume(name=_VOLUME, empty_dir=k8s.V1EmptyDirVolumeSource(size_limit=flavor.get("disk")))


def _resources(flavor: Mapping[str, Any]) -> k8s.V1ResourceRequirements | None:
    """As much as the flavor says, asked for and not exceeded, but for processors: idle ones may be used."""
    if not flavor:
        return None
    fixed = {"memory": flavor["memory"]}
    if flavor.get("gpus"):
        fixed[flavor.get("gpu_resource", "nvidia.com/gpu")] = str(flavor["gpus"])
    return k8s.V1ResourceRequirements(requests={"cpu": str(flavor["cpus"]), **fixed}, limits=fixed)


def _toleration(each: Mapping[str, Any]) -> k8s.V1Toleration:
    return k8s.V1Toleration(**{name: each.get(name) for name in ("key", "operator", "value", "effect")})
