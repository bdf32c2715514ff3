"""Airflow's KubernetesPodOperator with a log that has an end; imported when a job runs."""

import inspect
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager

from .bounded_log import bounded

_KNOWN = inspect.signature(KubernetesPodOperator.__init__).parameters
REATTACH = "durable" if "durable" in _KNOWN else "reattach_on_restart"
"""What the installed provider calls the wish to go on with the pod of an earlier try."""


class JobPod(KubernetesPodOperator):  # type: ignore[misc, unused-ignore]  # typed or not, by its version
    """One pod; when it has ended, `ended` is what the cluster says of it and `tail` holds the last lines of its job."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.ended: Any = None
        self.tail: list[str] = []

    @cached_property
    def pod_manager(self) -> PodManager:
        """As KubernetesPodOperator uses it."""
        return _Manager(self.tail, kube_client=self.client, callbacks=self.callbacks)

    def sweep(self, namespace: str, label: str) -> None:
        """Deletes the pods of earlier tries, whose worker died."""
        for pod in self.client.list_namespaced_pod(namespace, label_selector=label).items:
            self.log.info("deleting the pod %s of an earlier try", pod.metadata.name)
            self.client.delete_namespaced_pod(pod.metadata.name, namespace)

    def read_log(self, pod: Any) -> None:
        """Logs what the job has printed, once: for a job that was waited for without a worker."""
        stream = self.client.read_namespaced_pod_log(
            pod.metadata.name, pod.metadata.namespace, container="base", _preload_content=False
        )
        for line in bounded(stream.stream(65536), self.tail):
            self.log.info("%s", line.decode().rstrip("\n"))

    def cleanup(self, pod: Any, remote_pod: Any, xcom_result: Any = None, context: Any = None) -> None:
        """As KubernetesPodOperator does it, which deletes the pod; how it ended is noted before."""
        if remote_pod is not None and not self._killed:
            remote_pod = self._as_it_is(remote_pod)
            self.ended = remote_pod
        super().cleanup(pod, remote_pod, xcom_result, context)

    def _as_it_is(self, pod: Any) -> Any:
        """The pod as the cluster has it now, not as it was when it was made; None when it is gone."""
        from kubernetes.client.exceptions import ApiException

        try:
            found = self.client.read_namespaced_pod(pod.metadata.name, pod.metadata.namespace)
            if self.deferrable:
                self._read_late(found)
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return found

    def _read_late(self, pod: Any) -> None:
        from kubernetes.client.exceptions import ApiException

        try:
            self.read_log(pod)
        except ApiException as error:
            self.log.info("the log of the job cannot be read (%s)", error.reason)


class _Manager(PodManager):  # type: ignore[misc, unused-ignore]  # as above
    """Reads the log of a pod up to its limit; each line begins with a time, which is none of the job's words."""

    def __init__(self, tail: list[str], **keywords: Any) -> None:
        super().__init__(**keywords)
        self._tail = tail

    def read_pod_logs(  # type: ignore[override, unused-ignore]  # it asks for less than the operator gives
        self, pod: Any, container_name: str, *arguments: Any, **keywords: Any
    ) -> Iterator[bytes]:
        lines: list[str] = []
        yield from bounded(super().read_pod_logs(pod, container_name, *arguments, **keywords), lines)
        self._tail[:] = [line.partition(" ")[2] if keywords.get("timestamps") else line for line in lines]
