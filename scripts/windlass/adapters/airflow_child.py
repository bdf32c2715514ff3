"""Loads DAG files in the real Airflow, each in a process of its own, and writes down what came of it.

Started by path, with a file that says what to do: it is no part of the program that starts it.
What a DAG's code must not do while it is loaded (network, processes, credentials of the user) is refused and noted.
"""

import contextlib
import ctypes
import faulthandler
import importlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
_WARM = (
    *("airflow.sdk", "airflow.dag_processing.dagbag", "airflow.serialization.serialized_objects"),
    "airflow.models.dagbag",  # where Airflow 3.1 has it
    *("airflow.timetables.trigger", "airflow.timetables.interval", "airflow.providers.standard.operators.hitl"),
)
"""What every DAG file makes Airflow import: its time is not that of the file."""
_NETWORK = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "socket.gethostby",
    "socket.sendto",
    "socket.sendmsg",
)
_PROCESS = ("os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "subprocess.Popen", "pty.")
_CHANGE = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "shutil.")
_LINK = ("os.link", "os.symlink")
_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LONGEST_LINE = 2_000
_LONGEST_RESULT = 50_000_000
_EXIT_WITHOUT_RESULT = 86


def main(job: dict[str, Any]) -> None:
    """Loads each file of the job; `<number>.json` in its folder `out` is what came of one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this one ends it
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for name in _WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    try:
        for number, file in enumerate(job["files"]):
            _write(Path(job["out"], f"{number}.json"), _one(job, number, file))
    except Abandoned:
        shutil.rmtree(job["scratch"], ignore_errors=True)


class Abandoned(Exception):
    """Who started this one is gone, with no time to tidy up."""


def _write(path: Path, result: dict[str, Any]) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(result))
    beside.replace(path)


def _one(job: dict[str, Any], number: int, file: dict[str, str]) -> dict[str, Any]:
    said, stack = Path(job["out"], f"{number}.said"), Path(job["out"], f"{number}.stack")
    child = os.fork()
    if child == 0:
        _in_child(job, file, said, stack)
    try:
        code = _wait(child, time.monotonic() + job["seconds"])
    finally:
        left = _kill_all(child)
    result: dict[str, Any] = {"ended": "well", "code": code}
    if code is None:
        result["ended"] = "time"
    elif code != 0:
        result["ended"] = "signal" if code < 0 else "exit"
    try:
        if said.stat().st_size <= _LONGEST_RESULT:
            result |= json.loads(said.read_bytes())
    except (OSError, ValueError):
        if code == 0:
            result["ended"] = "exit"
    result["left"] = left
    if code is None and stack.exists():
        result["stack"] = stack.read_text(errors="replace")[:20_000]
    return result


def _wait(child: int, end: float) -> int | None:
    """The child's exit code, negative for a signal; None when its time was up. Abandoned when nobody waits for it."""
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if select.select([0], [], [], 0.005)[0]:  # the other end of the pipe is closed, even by SIGKILL
            raise Abandoned
    return None


def _kill_all(child: int) -> int:
    """Ends whatever the child has left behind: in a namespace of its own everything, else its group and orphans.

    How many processes that were, besides the child itself.
    """
    left = 0
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    for _ in range(100):
        for orphan in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
        try:
            left += os.waitpid(-1, 0)[0] != child
        except ChildProcessError:
            break
    return left


def _children() -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def _in_child(job: dict[str, Any], file: dict[str, str], said: Path, stack: Path) -> None:
    """Never returns."""
    own = os.getpid()
    try:
        os.setsid()
        _be_quiet()
        _limit(job["memory"], job["seconds"])
        faulthandler.dump_traceback_later(max(job["seconds"] - 0.5, 0.2), file=stack.open("w"))
        acts = _refuse(file["root"], job["private"], job["own"])
        try:
            result = _load(file)
        except BaseException:  # noqa: BLE001 - what Airflow lets through too: sys.exit() in a DAG's code
            result = {"errors": traceback.format_exc()}
        result["acts"] = acts
        result["errors"] = "\n".join(line[:_LONGEST_LINE] for line in result["errors"].splitlines()[-_LONGEST_LINE:])
        if os.getpid() == own:
            said.write_text(json.dumps(result))
            os._exit(0)
    finally:
        os._exit(_EXIT_WITHOUT_RESULT)


def _be_quiet() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def _limit(memory: int, seconds: float) -> None:
    statistics = Path("/proc/self/statm")
    size = int(statistics.read_text().split()[0]) * resource.getpagesize() if statistics.exists() else 0
    for kind, most in (
        (resource.RLIMIT_AS, size + memory if size else resource.RLIM_INFINITY),
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_FSIZE, _LONGEST_RESULT),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _refuse(root: str, private: list[str], own: list[str]) -> list[dict[str, Any]]:
    """Refuses what code must not do while it is loaded; what the DAG's own code tried is in the list."""
    acts: list[dict[str, Any]] = []
    hidden = tuple({*private, *map(os.path.realpath, private)})
    writable = (*own, "/dev/")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        what = ""
        if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
            what = _opens(_paths(arguments[0]), arguments[2] or 0, hidden, writable)
        elif event.startswith((*_CHANGE, *_LINK)):
            changed = arguments[1:2] if event in _LINK else arguments[:2]
            paths = [_paths(each) for each in changed if isinstance(each, (str, bytes, os.PathLike))]
            what = next((f"changes {named}" for named, real in paths if not real.startswith(writable)), "")
        elif event.startswith(_NETWORK):
            what = "uses the network"
        elif event.startswith(_PROCESS):
            what = "starts a process"
        if not what:
            return
        frame: Any = sys._getframe()
        while frame is not None and not frame.f_code.co_filename.startswith(root):
            frame = frame.f_back
        if frame is not None and len(acts) < 20:
            acts.append({"what": what, "file": frame.f_code.co_filename, "line": frame.f_lineno})
        if frame is not None or what == "uses the network":
            raise PermissionError(f"{what} while the DAG is loaded")

    sys.addaudithook(hook)
    return acts


def _paths(path: Any) -> tuple[str, str]:
    """The path as it is named, and where its links lead."""
    named = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - pathlib calls what the hook hears of
    return named, os.path.realpath(named)


def _opens(paths: tuple[str, str], flags: int, hidden: tuple[str, ...], writable: tuple[str, ...]) -> str:
    """What is wrong with opening a file, if anything."""
    named, real = paths
    if named.startswith(hidden) or real.startswith(hidden) or (real.startswith("/proc/") and real.endswith("/environ")):
        return f"reads {named}"
    return f"writes {named}" if flags & _WRITE and not real.startswith(writable) else ""


def _load(file: dict[str, str]) -> dict[str, Any]:
    try:
        bags: Any = importlib.import_module("airflow.dag_processing.dagbag")
        named = {"bundle_name": "windlass"}
    except ModuleNotFoundError:  # Airflow 3.1 has it elsewhere, and without a name
        bags, named = importlib.import_module("airflow.models.dagbag"), {}
    begin = time.perf_counter()
    bag = bags.BundleDagBag(dag_folder=file["path"], bundle_path=Path(file["root"]), **named)
    seconds = time.perf_counter() - begin
    dags: dict[str, Any] = {}
    broken: dict[str, str] = {}
    for name, dag in bag.dags.items():
        try:
            dags[name] = _serialized(dag)
        except Exception as error:  # noqa: BLE001 - whatever a DAG holds may raise here
            broken[name] = f"{type(error).__name__}: {error}"
    errors = "\n".join(str(error) for error in bag.import_errors.values())
    return {"seconds": seconds, "errors": errors, "dags": dags, "broken": broken}


def _serialized(dag: Any) -> Any:
    """The DAG as Airflow keeps it; ValueError when what is read back from that is another DAG."""
    objects: Any = importlib.import_module("airflow.serialization.serialized_objects")
    kept = getattr(objects, "DagSerialization", None) or objects.SerializedDAG  # the latter in Airflow 3.1
    data = json.loads(json.dumps(kept.to_dict(dag)))
    back = kept.from_dict(data)
    for what, there, here in (
        ("tasks", sorted(back.task_dict), sorted(dag.task_dict)),
        ("orders", _orders(back), _orders(dag)),
        ("groups", sorted(map(str, _groups(back))), sorted(map(str, _groups(dag)))),
    ):
        if there != here:
            raise ValueError(f"its {what} are others when Airflow reads back what it has kept")
    return data


def _orders(dag: Any) -> dict[str, list[str]]:
    return {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}


def _groups(dag: Any) -> Any:
    return dag.task_group.get_task_group_dict()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_bytes()))
