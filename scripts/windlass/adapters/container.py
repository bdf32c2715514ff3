"""Runs the script of a job in a container of this machine, by the command line of docker or podman."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from uuid import uuid4

from windlass.runtime.job import Place
from windlass.runtime.process import Finished, Limits, end_reason, run_script
from windlass.spec.errors import DeliveryError, ServiceError

INSIDE = PurePosixPath("/windlass")
_ENGINES = ("docker", "podman")
_OF_THE_SHELL = ("HOME", "TMPDIR", "DOCKER_", "CONTAINER", "XDG_", "PODMAN_")
"""Variables that the engine's command looks at; the container gets none of them."""
_STOP_SECONDS = 8
"""How long the container may tidy up: less than the grace after which the command that runs it is killed."""


def find_engine() -> str:
    """The name of the command that runs containers here."""
    found = next((engine for engine in _ENGINES if shutil.which(engine)), None)
    if found is None:
        raise DeliveryError("neither docker nor podman is here; install one, or run without --backend docker")
    return found


def pull(engine: str, image: str, log: Callable[[str], None]) -> None:
    """Sees to it that the image is there before a time limit runs."""
    if _ask(engine, "image", "inspect", image).returncode == 0:
        return
    log(f"{engine} pulls {image}")
    done = _ask(engine, "pull", image)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ServiceError(f"{engine} has no image {image!r}: {said[-1] if said else 'it does not say why'}")


def in_image(
    engine: str, image: str, memory: str | None = None, cpus: float | None = None, network: str | None = None
) -> Place:
    """Where a job runs whose folder is `/windlass` of a container; the image needs a shell."""

    def run(
        script: str,
        work: Path,
        time_limit: timedelta,
        log: Callable[[str], None],
        variables: Mapping[str, str],
        limits: Limits,
        stop: int | None,
    ) -> Finished:
        folder, name = work.parent, f"windlass-{uuid4().hex[:12]}"
        _open_to_all(folder)
        (folder / "script.sh").write_text(script)
        options = [f"--name={name}", f"--volume={folder}:{INSIDE}", f"--workdir={INSIDE}/work"]
        options += ["--security-opt=no-new-privileges", "--pids-limit=1000"]
        options += [f"--memory={memory.lower().removesuffix('i')}"] if memory else []
        options += [f"--cpus={cpus:g}"] if cpus else []
        options += [f"--network={network}"] if network else []
        inside = {"HOME": f"{INSIDE}/work", "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **variables}
        options += [f"--env={key}={value}" for key, value in inside.items()]
        command = shlex.join([engine, "run", "--rm", *options, "--entrypoint=sh", image, "-c", _FIRST])
        try:
            watched = f"{_TRAP.replace('NAME', name).replace('ENGINE', engine)}\n{command} & wait $!"
            ended = run_script(watched, work, time_limit, log, _environment(), limits=Limits(memory=0), stop=stop)
        finally:
            _ask(engine, "rm", "--force", name)
        return _told(ended, time_limit, image)

    return Place(INSIDE, run)


_FIRST = f"""
trap 'kill -TERM -1' TERM
sh {INSIDE}/script.sh </dev/null & child=$!
while :; do wait $child; code=$?; kill -0 $child 2>/dev/null || exit $code; done
"""
"""The first process of the container: a signal that it does not expect would be lost; when it ends, all others do."""
_TRAP = f"trap 'ENGINE stop --time {_STOP_SECONDS} NAME >/dev/null 2>&1; wait; exit 143' TERM"
"""The process that watches over the script sends SIGTERM, also when windlass itself was killed."""


def _told(ended: Finished, time_limit: timedelta, image: str) -> Finished:
    """With the reason of a script that ran here: a shell tells of a signal by 128 and its number."""
    code = ended.code
    if code is None or ended.reason is None or not ended.reason.startswith("ended with exit code"):
        return ended
    if code == 125:
        return replace(ended, reason=f"could not be started in the image {image!r}")
    code = 128 - code if 128 < code < 160 else code
    return replace(ended, code=code, reason=end_reason(code, "ended", time_limit), peak=None)


def _open_to_all(folder: Path) -> None:
    """The image may run as any user."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o777)
        elif not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o444)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_OF_THE_SHELL)}


def _ask(engine: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([engine, *arguments], capture_output=True, check=False)
