"""podman with everything of its own below one folder, and its service that speaks Docker's protocol."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUILD = Path(__file__).parents[2] / "ci" / "images" / "stage" / "build"
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "FOLDER/tmp"
"""
USER_IMAGE = (
    "sh",
    "cat",
    "sleep",
    "env",
    "ls",
    "mkdir",
    "ps",
    "kill",
    "dd",
    "yes",
    "head",
    "tail",
    "seq",
    "sort",
    "ln",
)


@dataclass(frozen=True)
class Podman:
    """How to call it; `socket` is where its service listens."""

    folder: Path
    environment: dict[str, str]

    @property
    def socket(self) -> str:
        return f"unix://{self.folder}/podman.sock"

    def command(self, *arguments: str) -> list[str]:
        return ["podman", "--root", f"{self.folder}/store", "--runroot", f"{self.folder}/run", *arguments]

    def __call__(self, *arguments: str, stdin: bytes | None = None, check: bool = True) -> str:
        """What it prints; a refusal is an AssertionError with its words."""
        done = subprocess.run(
            self.command(*arguments),
            input=stdin,
            env=self.environment,
            cwd=self.folder,  # conmon leaves the file `oom` where it was started
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stderr.decode()
        return done.stdout.decode().strip()

    def left(self) -> list[str]:
        """The names of all containers, pods and volumes."""
        containers = self("ps", "--all", "--format", "{{.Names}}").split()
        return containers + self("pod", "ps", "--format", "{{.Name}}").split() + self("volume", "ls", "--quiet").split()


@contextmanager
def podman_service(folder: Path) -> Iterator[Podman]:
    """podman with the images `stage:1`, `user:1` and `nobody:1`, nothing else, and its service."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "containers.conf").write_text(CONFIGURATION.replace("FOLDER", str(folder)))
    policy = {"CONTAINERS_CONF": f"{folder}/containers.conf", "TMPDIR": str(folder)}
    podman = Podman(folder, {**os.environ, **policy})
    stage = subprocess.run(
        [BUILD, "-"], env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    podman("import", "--change", "USER 65532:65532", "-", "stage:1", stdin=stage)
    user = _user_image(folder / "user")
    podman("import", "-", "user:1", stdin=user)
    podman("import", "--change", "USER 1000:1000", "-", "nobody:1", stdin=user)
    service = subprocess.Popen(
        podman.command("system", "service", "--time=0", podman.socket),
        env=podman.environment,
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "service.log").open("wb"),
    )
    try:
        while not (folder / "podman.sock").exists():
            assert service.poll() is None, (folder / "service.log").read_text()
        yield podman
    finally:
        podman("pod", "rm", "--all", "--force", check=False)
        podman("rm", "--all", "--force", "--time", "0", check=False)
        os.killpg(service.pid, signal.SIGTERM)
        service.wait()
        podman("image", "rm", "--all", "--force", check=False)
        subprocess.run(["umount", folder / "store" / "overlay"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _user_image(root: Path) -> bytes:
    (root / "bin").mkdir(parents=True)
    (root / "tmp").mkdir(mode=0o1777)
    shutil.copy("/bin/busybox", root / "bin" / "busybox")
    for name in USER_IMAGE:
        (root / "bin" / name).symlink_to("busybox")
    return subprocess.run(["tar", "-C", root, "-cf", "-", "."], capture_output=True, check=True).stdout
