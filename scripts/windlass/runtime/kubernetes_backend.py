"""Runs a job in a pod of its own on Kubernetes, which is deleted in the end.

A pod whose worker died goes on to its deadline at most; the next try of the task deletes it before it begins.
"""

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .container_job import container_job, kept_references, limits_of
from .container_words import check_kept, check_staged, last_word
from .errors import RuntimeStop
from .process import end_reason
from .settings import Settings
from .storage import Storage

_START_WITHIN = "10 minutes"
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_LOST = {
    "Evicted": "was evicted from its node",
    "NodeLost": "was lost with its node",
    "NodeShutdown": "was ended because its node went down",
    "Terminated": "was ended because its node went down",
    "Preempting": "made room for a more important pod",
    "PreemptionByScheduler": "made room for a more important pod",
    "DeletionByTaintManager": "had to leave its node",
    "EvictionByEvictionAPI": "was evicted from its node",
    "TerminationByKubelet": "was ended by its node",
    "DeletionByPodGC": "was lost with its node",
    "DeadlineExceeded": "was not done by its deadline, with fetching and keeping its files",
}


def run_on_kubernetes(task: Any, context: Any, settings: Settings) -> dict[str, Any]:
    """The references of the outputs by port, when the script of `task`, a JobOperator, has ended well."""
    from .pod_spec import of_task, pod_arguments

    storage, start = Storage(settings.endpoint), _start_within(settings)
    job = container_job(task, context, settings, storage, wait=start)
    pod = _pod(task, settings, start, pod_arguments(task, context["ti"], settings, job, start))

    def run() -> None:
        pod.sweep(str(settings.jobs["namespace"]), f"windlass-of={of_task(context['ti'])}")
        inspect.unwrap(type(pod).execute)(pod, context)

    return _follow(task, context, settings, pod, run)


def resume_on_kubernetes(task: Any, context: Any, settings: Settings, event: Any) -> dict[str, Any]:
    """The same for a task that had been deferred until its pod came to an end."""
    pod = _pod(task, settings, _start_within(settings), {"namespace": settings.jobs.get("namespace")})
    return _follow(task, context, settings, pod, lambda: pod.trigger_reentry(context, event))


def _pod(task: Any, settings: Settings, start: timedelta, arguments: dict[str, Any]) -> Any:
    from .job_pod import REATTACH, JobPod

    deferrable = bool(settings.jobs.get("deferrable"))
    return JobPod(
        task_id=task.task_id,
        kubernetes_conn_id=settings.jobs.get("connection") or "kubernetes_default",
        deferrable=deferrable,
        get_logs=not deferrable,  # a deferred job's are read when it has ended, see JobPod
        container_logs="base",
        container_name_log_prefix_enabled=False,
        log_events_on_failure=True,
        log_pod_spec_on_failure=False,
        **{REATTACH: False},  # each try has keys of its own
        on_finish_action="delete_pod",
        schedule_timeout_seconds=int(start.total_seconds()),
        startup_timeout_seconds=int(start.total_seconds()),
        do_xcom_push=False,
        **arguments,
    )


def _follow(task: Any, context: Any, settings: Settings, pod: Any, run: Callable[[], None]) -> dict[str, Any]:
    from airflow.providers.common.compat.sdk import AirflowException, TaskDeferred
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    task.stop = lambda: _stop(pod)
    try:
        run()
    except TaskDeferred as deferred:
        raise TaskDeferred(
            trigger=deferred.trigger, method_name="resume", kwargs=deferred.kwargs, timeout=deferred.timeout
        ) from None
    except (AirflowException, ApiException, HTTPError) as error:
        _explain(task, settings, pod, error)
    finally:
        task.stop = None
    if pod.ended is not None:  # else it was gone already, but had ended well
        seconds = check_kept(_words(pod.ended, "keep"), task, tuple(pod.tail), limits_of(task, settings))
        task.log.info("the script ended well after %.1f seconds", seconds)
    return kept_references(task, context, settings, Storage(settings.endpoint))


def _stop(pod: Any) -> None:
    """Airflow calls `on_kill` at SIGTERM and then lets `execute` go on: only raising ends the task."""
    pod.on_kill()
    raise RuntimeStop("the task was told to stop while its script ran; the script was ended")


def _explain(task: Any, settings: Settings, pod: Any, error: Exception) -> None:
    """RuntimeStop with the reason for which the pod, or the job in it, did not end well."""
    if pod.ended is None or pod.ended.status is None:
        _explain_absence(error)
    status = pod.ended.status
    disrupted = [each for each in status.conditions or [] if each.type == "DisruptionTarget" and each.status == "True"]
    for reason, message in [(status.reason, status.message), *[(each.reason, each.message) for each in disrupted]]:
        if reason in _LOST:
            raise RuntimeStop(f"the pod {_LOST[reason]}: {message or reason}") from error
    stage = _state(status.init_container_statuses, "stage")
    if stage is not None and stage.exit_code:
        endpoint = settings.jobs.get("endpoint") or settings.endpoint or "AWS"
        check_staged(last_word(stage.message or ""), endpoint)
    _explain_start(status, error)
    base, words = _state(status.container_statuses, "base"), _words(pod.ended, "keep")
    if base is not None and base.reason == "OOMKilled" and words[:1] in ([], ["unseen"]):
        reason = end_reason(137, "memory", task.execution_time, limits_of(task, settings))
        raise RuntimeStop(f"the script {reason}") from error
    if not words:
        _explain_absence(error)
    check_kept(words, task, tuple(pod.tail), limits_of(task, settings))
    raise RuntimeStop(f"the pod was not well: {error}") from error


def _explain_start(status: Any, error: Exception) -> None:
    """RuntimeStop where a container could not even be started: its image is absent, or cannot run here."""
    for each in [*(status.init_container_statuses or []), *(status.container_statuses or [])]:
        waiting, ended = (each.state.waiting, each.state.terminated) if each.state else (None, None)
        if waiting and waiting.message:
            found = waiting
        elif ended and ended.reason in ("StartError", "ContainerCannotRun"):
            found = ended
        else:
            continue
        what = f"{found.reason}: {' '.join((found.message or '').split())[:400]}"
        raise RuntimeStop(f"the container of image {each.image!r} could not be started: {what}") from error


def _explain_absence(error: Exception) -> None:
    """RuntimeStop for a pod that never ran, or was gone before it could be asked."""
    if isinstance(error.__context__, Exception) and type(error.__context__).__name__.startswith("PodLaunch"):
        error = error.__context__  # cleaning up complains of the same
    name = type(error).__name__
    first = str(error).strip().splitlines()[0] if str(error).strip() else name
    if getattr(error, "status", None) == 404 or name == "PodNotFoundException":
        raise RuntimeStop(
            "the pod is gone: somebody deleted it, its node was drained, or it made room for a more important pod"
        ) from error
    if name == "PodLaunchTimeoutException":
        raise RuntimeStop(f"the pod did not start within jobs.start_within: {first}") from error
    refused = getattr(error, "reason", None)
    raise RuntimeStop(f"Kubernetes did not run the pod: {refused or first}") from error


def _state(statuses: Any, name: str) -> Any:
    """How the container ended; None while it has not."""
    for each in statuses or []:
        if each.name == name and each.state and each.state.terminated:
            return each.state.terminated
    return None


def _words(pod: Any, container: str) -> list[str]:
    ended = _state(pod.status.container_statuses, container)
    return last_word((ended.message or "") if ended is not None else "")


def _start_within(settings: Settings) -> timedelta:
    number, _, unit = str(settings.jobs.get("start_within", _START_WITHIN)).partition(" ")
    return timedelta(seconds=int(number) * _UNITS[unit.removesuffix("s")])
