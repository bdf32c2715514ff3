"""Has rendered DAGs loaded by the Airflow that is installed here, in processes without network and credentials."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from windlass.spec.errors import WindlassError

CHILD = Path(__file__).with_name("airflow_child.py")
_PRIVATE = (".aws", ".azure", ".boto", ".config", ".docker", ".git-credentials", ".gnupg", ".kube", ".netrc")
_MORE_PRIVATE = (".databrickscfg", ".my.cnf", ".pgpass", ".pypirc", ".ssh", ".vault-token")
_START_SECONDS = 120.0
"""How long Airflow itself may take to be imported."""
_NAMESPACES = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass(frozen=True)
class DagFile:
    """A rendered file below a bundle's `root`, which Airflow puts on its path."""

    root: Path
    path: Path


@dataclass(frozen=True)
class Limits:
    """What each file may take: seconds, and bytes of memory beyond what Airflow itself takes."""

    seconds: float = 30.0
    memory: int = 2 * 1024**3


@dataclass(frozen=True)
class Loaded:
    """What came of each file, in two processes with another hash seed and another day."""

    first: list[dict[str, Any]]
    second: list[dict[str, Any]]
    isolation: str
    """How the network was kept away."""


def load_dags(files: Sequence[DagFile], scratch: Path, limits: Limits = Limits()) -> Loaded:
    """What Airflow makes of `files`; WindlassError where there is none."""
    if importlib.util.find_spec("airflow") is None:
        raise WindlassError("Airflow is not installed here; pip install 'windlass[airflow]', or leave the check to CI")
    isolation, prefix = _isolation()
    jobs = [_Job(files, scratch / name, limits, name) for name in ("first", "second")]
    with contextlib.ExitStack() as running:
        children = [running.enter_context(job.running(prefix)) for job in jobs]
        end = time.monotonic() + _START_SECONDS + len(files) * (limits.seconds + 1)
        for job, child in zip(jobs, children, strict=True):
            job.wait(child, end)
    return Loaded(jobs[0].results(), jobs[1].results(), isolation)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of this process alone that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="windlass-check-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def _isolation() -> tuple[str, list[str]]:
    """The strongest way that works here to keep a process from the network, in words and as a command."""
    if shutil.which("unshare"):
        for extra in ([], ["--map-root-user"]):
            command = [*_NAMESPACES, *extra]
            probe = subprocess.run([*command, "true"], capture_output=True, check=False, timeout=20)
            if probe.returncode == 0:
                return "namespaces of their own", command
    return "an audit hook", []


@dataclass(frozen=True)
class _Job:
    files: Sequence[DagFile]
    folder: Path
    limits: Limits
    name: str

    @contextlib.contextmanager
    def running(self, prefix: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """The child, which is ended with all that it started when the block is left in any way."""
        for name in ("home", "out", "airflow", "tmp"):
            (self.folder / name).mkdir(parents=True)
        real = Path.home()
        job = {
            "files": [{"root": str(file.root), "path": str(file.path)} for file in self.files],
            "out": str(self.folder / "out"),
            "seconds": self.limits.seconds,
            "memory": self.limits.memory,
            "scratch": str(self.folder.parent),
            "own": [f"{self.folder / name}{os.sep}" for name in ("home", "airflow", "tmp")],
            "private": [str(real / name) for name in (*_PRIVATE, *_MORE_PRIVATE)],
        }
        (self.folder / "job.json").write_text(json.dumps(job))
        with (self.folder / "log").open("wb") as log:
            child = subprocess.Popen(
                [*prefix, sys.executable, "-P", str(CHILD), str(self.folder / "job.json")],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=self.folder / "home",
                start_new_session=True,
            )
        try:
            yield child
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            assert child.stdin is not None
            child.stdin.close()  # not before: it is what tells the child to give up

    def _environment(self) -> dict[str, str]:
        """Nothing of this process's own variables but its path."""
        folder, second = self.folder, self.name == "second"
        return {
            "PATH": os.defpath,
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "4711" if second else "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TZ": _other_day() if second else "UTC",
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow/none.db'}",
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder.parent / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "0",
            "AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH": "100",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
        }

    def wait(self, child: subprocess.Popen[bytes], end: float) -> None:
        """Returns when the child has ended; WindlassError when it did not do its work."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(end - time.monotonic(), 1))
        if not (self.folder / "out" / f"{len(self.files) - 1}.json").exists():
            said = (self.folder / "log").read_text(errors="replace").strip().splitlines()
            why = f"it said: {said[-1]}" if said else "it said nothing"
            raise WindlassError(f"Airflow could not be started to load the DAGs; {why}")

    def results(self) -> list[dict[str, Any]]:
        """What the child wrote, file by file."""
        return [json.loads((self.folder / f"out/{number}.json").read_bytes()) for number in range(len(self.files))]


def _other_day() -> str:
    """A time zone in which it is another day than in UTC."""
    return "Pacific/Kiritimati" if datetime.now(UTC).hour >= 10 else "Pacific/Pago_Pago"
