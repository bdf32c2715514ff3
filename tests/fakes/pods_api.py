"""A small Kubernetes: the part of its API that pods need, over podman, which really runs their containers.

Init containers run one after the other, then all containers at once, with an emptyDir as a podman volume, limits of
memory and processors, Secrets as environment variables, termination messages, a deadline and a grace at the end. There
is one node and its network. What it does not do: probes, restarts, scheduling, quotas.
"""

import json
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate

from tests.fakes.podman import Podman

VERSION = kubernetes_validate.latest_version()
_TRUE = ("true", "True")
_UNITS = {"Mi": "m", "Gi": "g"}


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Pod:
    """One pod as the API shows it, and what runs it."""

    podman: Podman
    secrets: Mapping[str, Mapping[str, str]]
    folder: Path
    document: dict[str, Any]
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    reason: str | None = None
    message: str | None = None
    phase: str = "Pending"
    ending: threading.Event = field(default_factory=threading.Event)
    begun: str = field(default_factory=_now)

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def spec(self) -> dict[str, Any]:
        return dict(self.document["spec"])

    def run(self) -> None:
        """Runs the pod to its end."""
        for volume in self.spec.get("volumes") or []:
            self.podman("volume", "create", f"{self.name}-{volume['name']}", check=False)
        deadline = self.spec.get("activeDeadlineSeconds")
        timer = threading.Timer(deadline, self.end, ("DeadlineExceeded", "Pod was active longer than its deadline"))
        if deadline:
            timer.start()
        try:
            for container in self.spec.get("initContainers") or []:
                if self.ending.is_set() or self._run_container(container) != 0:
                    self.phase = "Failed"
                    return
            self.phase = "Running"
            threads = [threading.Thread(target=self._run_container, args=(each,)) for each in self.spec["containers"]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            codes = [
                self.states[each["name"]].get("terminated", {}).get("exitCode", 1) for each in self.spec["containers"]
            ]
            self.phase = "Failed" if any(codes) or self.reason else "Succeeded"
        finally:
            timer.cancel()

    def end(self, reason: str | None = None, message: str | None = None, grace: int = 0) -> None:
        """Ends all containers, as the kubelet does at the deadline, at an eviction and when a pod is deleted."""
        self.reason, self.message = self.reason or reason, self.message or message
        self.ending.set()
        names = [
            f"{self.name}-{each['name']}" for each in self.spec["containers"] + (self.spec.get("initContainers") or [])
        ]
        for name in names:
            self.podman("stop", "--ignore", "--time", str(grace), name, check=False)

    def remove(self) -> None:
        """Leaves nothing of it."""
        for container in [*(self.spec.get("initContainers") or []), *self.spec["containers"]]:
            self.podman("rm", "--force", "--ignore", "--time", "0", f"{self.name}-{container['name']}", check=False)
        for volume in self.spec.get("volumes") or []:
            self.podman("volume", "rm", "--force", f"{self.name}-{volume['name']}", check=False)

    def _run_container(self, container: Mapping[str, Any]) -> int:
        name, full = str(container["name"]), f"{self.name}-{container['name']}"
        message = self.folder / f"{full}.message"
        message.touch(mode=0o666)
        message.chmod(0o666)
        created = subprocess.run(
            self.podman.command("create", "--pull=never", "--name", full, *self._options(container, message)),
            env=self.podman.environment,
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        if created.returncode:
            said = created.stderr.decode()
            self.states[name] = {"waiting": {"reason": "ErrImagePull", "message": said}}
            self.ending.wait()
            return 1
        begun = _now()
        self.states[name] = {"running": {"startedAt": begun}}
        started = subprocess.run(
            self.podman.command("start", full),
            env=self.podman.environment,
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        self.podman("wait", full, check=False)  # on a busy machine it may give up early
        wait_until(lambda: not self._state_of(full)["Running"], seconds=600)
        state = self._state_of(full)
        code = int(state["ExitCode"])
        reason = "Completed" if code == 0 else "OOMKilled" if state.get("OOMKilled") else "Error"
        if started.returncode:
            code, reason = 128, "StartError"
            message.write_bytes(started.stderr)
        self.states[name] = {
            "terminated": {
                "exitCode": code,
                "reason": reason,
                "message": message.read_text()[:4096] or None,
                "startedAt": begun,
                "finishedAt": _now(),
            }
        }
        return code

    def _state_of(self, full: str) -> dict[str, Any]:
        found = json.loads(self.podman("inspect", full, check=False) or "[]")
        return dict(found[0]["State"]) if found else {"Running": False, "ExitCode": 137}  # removed with its pod

    def _options(self, container: Mapping[str, Any], message: Path) -> list[str]:
        options = ["--network", "host", "--label", "pod=1", "--volume", f"{message}:/dev/termination-log"]
        for mount in container.get("volumeMounts") or []:
            options += ["--volume", f"{self.name}-{mount['name']}:{mount['mountPath']}"]
        limits = (container.get("resources") or {}).get("limits") or {}
        if memory := limits.get("memory"):
            podmans = memory[:-2] + _UNITS[memory[-2:]]
            options += ["--memory", podmans, "--memory-swap", podmans]
        for each in container.get("env") or []:
            options += ["--env", f"{each['name']}={each.get('value', '')}"]
        for each in container.get("envFrom") or []:
            for key, value in self.secrets[each["secretRef"]["name"]].items():
                options += ["--env", f"{key}={value}"]
        command = [*(container.get("command") or []), *(container.get("args") or [])]
        if command:
            options += ["--entrypoint", json.dumps(command[:1])]
        return [*options, str(container["image"]), *command[1:]]

    def shown(self) -> dict[str, Any]:
        """The pod with its status."""
        status: dict[str, Any] = {
            "phase": self.phase,
            "startTime": self.begun,
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [self._status(each) for each in self.spec["containers"]],
            "initContainerStatuses": [self._status(each) for each in self.spec.get("initContainers") or []],
        }
        if self.reason:
            status |= {"reason": self.reason, "message": self.message}
        return {**self.document, "apiVersion": "v1", "kind": "Pod", "status": status}

    def _status(self, container: Mapping[str, Any]) -> dict[str, Any]:
        state = self.states.get(container["name"]) or {"waiting": {"reason": "PodInitializing"}}
        about = {"image": container["image"], "imageID": "", "restartCount": 0, "ready": "running" in state}
        return {"name": container["name"], "state": state, **about}


class PodsApi:
    """What the server holds; `beside` says for each pod that was made how many there were already."""

    def __init__(self, podman: Podman, folder: Path, secrets: Mapping[str, Mapping[str, str]]) -> None:
        self.podman, self.folder, self.secrets = podman, folder, secrets
        self.pods: dict[tuple[str, str], Pod] = {}
        self.beside: list[int] = []
        self.address = ""
        folder.mkdir(parents=True, exist_ok=True)

    def create(self, namespace: str, document: dict[str, Any]) -> dict[str, Any]:
        kubernetes_validate.validate(document, VERSION, strict=True)
        self.beside.append(len(self.pods))
        about = {"namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": _now()}
        document["metadata"] = {**document["metadata"], **about}
        pod = Pod(self.podman, self.secrets, self.folder, document)
        self.pods[namespace, pod.name] = pod
        threading.Thread(target=pod.run, daemon=True).start()
        return pod.shown()

    def delete(self, key: tuple[str, str], grace: int) -> None:
        pod = self.pods[key]
        pod.end(grace=grace)
        pod.remove()
        self.pods.pop(key, None)

    def kubeconfig(self) -> dict[str, Any]:
        """How a client reaches it."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": {"server": self.address}}],
            "users": [{"name": "it", "user": {"token": "x"}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": "jobs"}}],
            "current-context": "it",
        }


@contextmanager
def pods_api(podman: Podman, folder: Path, secrets: Mapping[str, Mapping[str, str]]) -> Iterator[PodsApi]:
    """The API on a free port."""
    api = PodsApi(podman, folder, secrets)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    server.daemon_threads = True
    api.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        for key in list(api.pods):
            with suppress(KeyError):
                api.delete(key, 0)
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    api: PodsApi

    def log_message(self, *_: Any) -> None:
        return

    def _answer(self, document: Any, code: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, code: int, reason: str) -> None:
        self._answer({"kind": "Status", "status": "Failure", "message": reason, "reason": reason, "code": code}, code)

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    def _route(self) -> tuple[list[str], dict[str, str]]:
        parts = urlsplit(self.path)
        return parts.path.strip("/").split("/")[3:], {key: values[0] for key, values in parse_qs(parts.query).items()}

    def do_POST(self) -> None:
        (namespace, *_), _ = self._route()
        try:
            self._answer(self.api.create(namespace, self._body()), 201)
        except kubernetes_validate.ValidationError as error:
            self._refuse(422, str(error))

    def do_GET(self) -> None:
        match self._route():
            case [namespace, "pods"], query:
                self._answer(
                    {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": self._listed(namespace, query)}
                )
            case [_, "events"], _:
                self._answer({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": []})
            case [namespace, "pods", name], _ if (namespace, name) in self.api.pods:
                self._answer(self.api.pods[namespace, name].shown())
            case [namespace, "pods", name, "log"], query if (namespace, name) in self.api.pods:
                self._log(self.api.pods[namespace, name], query)
            case _:
                self._refuse(404, "NotFound")

    def do_PATCH(self) -> None:
        (namespace, _, name), _ = self._route()
        pod = self.api.pods.get((namespace, name))
        if pod is None:
            return self._refuse(404, "NotFound")
        labels = pod.document["metadata"].setdefault("labels", {})
        labels.update(self._body().get("metadata", {}).get("labels", {}))
        return self._answer(pod.shown())

    def do_DELETE(self) -> None:
        (namespace, _, name), query = self._route()
        if (namespace, name) not in self.api.pods:
            return self._refuse(404, "NotFound")
        grace = query.get("gracePeriodSeconds") or self._body().get("gracePeriodSeconds")
        pod = self.api.pods[namespace, name]
        self.api.delete((namespace, name), int(grace or pod.spec.get("terminationGracePeriodSeconds") or 0))
        return self._answer({"kind": "Status", "status": "Success"})

    def _listed(self, namespace: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        wanted = [term for term in query.get("labelSelector", "").split(",") if term]
        found = [pod for (space, _), pod in self.api.pods.items() if space == namespace]
        return [pod.shown() for pod in found if all(_fits(pod, term) for term in wanted)]

    def _log(self, pod: Pod, query: Mapping[str, str]) -> None:
        if "waiting" in (pod.states.get(query["container"]) or {"waiting": {}}):
            return self._refuse(400, f"container {query['container']} is waiting to start")
        container = f"{pod.name}-{query['container']}"
        stamps = ["--timestamps"] if query.get("timestamps") in _TRUE else []
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        with suppress(OSError):  # who asked may go
            told = 0
            if query.get("follow") in _TRUE:
                told = self._copy(pod, ["logs", "--follow", *stamps, container])
                wait_until(lambda: "terminated" in pod.states[query["container"]])
            # podman stops following when the container ends, also where it has not told all: the rest comes here
            self._copy(pod, ["logs", *stamps, container], skip=told)
        return None

    def _copy(self, pod: Pod, command: list[str], skip: int = 0) -> int:
        """Sends what podman prints from byte `skip` on; how many bytes it printed."""
        seen = 0
        with subprocess.Popen(
            pod.podman.command(*command),
            env=pod.podman.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout is not None
            try:
                while chunk := process.stdout.read1(65536):
                    self.wfile.write(chunk[max(0, skip - seen) :])
                    seen += len(chunk)
            except OSError:
                process.kill()
                raise
        return seen


def _fits(pod: Pod, term: str) -> bool:
    labels = pod.document["metadata"].get("labels") or {}
    if term.startswith("!"):
        return term[1:] not in labels
    if "!=" in term:
        name, _, value = term.partition("!=")
        return labels.get(name) != value
    name, _, value = term.partition("=")
    return labels.get(name) == value


def wait_until(condition: Any, seconds: float = 60) -> None:
    """Waits for what another thread or process brings about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
