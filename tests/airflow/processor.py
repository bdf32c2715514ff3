"""A DAG processor and an API server of one Airflow home, for tests that ask what Airflow itself makes of a bundle."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PASSWORD = "secret"


@dataclass(frozen=True)
class Home:
    """The folder of one Airflow, the process environment of its parts, and its address."""

    folder: Path
    environment: Mapping[str, str]
    url: str

    @property
    def log(self) -> Path:
        return self.folder / "log"


def airflow_home(folder: Path, bundles: Sequence[Mapping[str, Any]], more: Mapping[str, str] | None = None) -> Home:
    """A home with a migrated database; `more` is added to the environment."""
    home = bare_home(folder, bundles, more)
    migrate = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(migrate, env=home.environment, check=True, capture_output=True)
    return home


def bare_home(folder: Path, bundles: Sequence[Mapping[str, Any]], more: Mapping[str, str] | None = None) -> Home:
    """A home without a database; `more` is added to the environment."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(folder / "bundles"),
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(b"k" * 32).decode(),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "windlass:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__API__SECRET_KEY": "session-secret-of-this-test-that-is-long-enough-for-it",
        "AIRFLOW__API_AUTH__JWT_SECRET": "jwt-secret-of-this-test-that-is-long-enough-for-its-hash-function-512",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        **(more or {}),
    }
    (folder / "passwords.json").write_text(json.dumps({"windlass": PASSWORD}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Home(folder, environment, f"http://127.0.0.1:{probe.getsockname()[1]}")


@contextmanager
def running(home: Home) -> Iterator[None]:
    """Both parts run until the end of the block."""
    server = ["api-server", "--host", "127.0.0.1", "--port", home.url.rpartition(":")[2], "--workers", "1"]
    with home.log.open("wb") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "airflow", *part],
                env=home.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            for part in (["dag-processor"], server)
        ]
    try:
        yield
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
