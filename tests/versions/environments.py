"""A virtual environment for each older Airflow, made by uv from its hashed requirements and kept between runs."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OLDER = ("3.1", "3.2")
HERE = "3.3"
"""What the environment that runs the tests has."""
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class NotMade(Exception):
    """One sentence: which environment could not be made, and what to look at."""


def python_of(version: str, cache: Path = ROOT / ".windlass") -> Path:
    """The Python that has Airflow `version`; made at the first call, and again when the requirements change."""
    if version == HERE:
        return Path(sys.executable)
    requirements = ROOT / "requirements" / f"airflow-{version}.txt"
    folder = cache / f"airflow-{version}"
    python, stamp = folder / "bin/python", folder / ".complete"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"airflow-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            _uv(version, requirements, "venv", "--clear", "--python", sys.executable, str(folder))
            hashed = ("--require-hashes", "--requirement", str(requirements))
            _uv(version, requirements, "pip", "install", "--python", str(python), *hashed)
            stamp.write_text(wanted)  # last: what was broken off is begun anew
    return python


def _uv(version: str, requirements: Path, *arguments: str) -> None:
    environment = {"UV_SYSTEM_CERTS": "true" if _CERTIFICATES.exists() else "false", **os.environ}
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run([uv, "--quiet", *arguments], env=environment, capture_output=True, check=False)
    if done.returncode:  # uv's own words may hold an address: whoever runs it by hand sees them
        raise NotMade(
            f"Airflow {version} cannot be installed from requirements/{requirements.name}; look at the network, and at "
            f"what this says: uv {' '.join(arguments)}"
        )
