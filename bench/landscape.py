"""What the measurements run on: an S3 server of their own behind the counting proxy, and a folder for scratch files."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

BUCKET = "bench"


@dataclass(frozen=True)
class Landscape:
    """The proxy's address, the server's own, and a scratch folder."""

    proxy: str
    server: str
    scratch: Path

    def wait(self, milliseconds: int) -> None:
        """Lets each request wait from now on, and counts anew."""
        requests.get(f"{self.proxy}/-/wait/{milliseconds}", timeout=10).raise_for_status()

    def count(self) -> int:
        """How many requests there were since `wait`."""
        counts: dict[str, int] = requests.get(f"{self.proxy}/-/count", timeout=10).json()
        return sum(counts.values())

    def variables(self, endpoint: str | None = None) -> dict[str, str]:
        """The process environment of everything that is measured: no settings of the person who measures."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint or self.proxy,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


@contextmanager
def landscape(scratch: Path) -> Iterator[Landscape]:
    """Server and proxy, each a process of its own, and an empty bucket."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": "s3",
        "TMPDIR": str(scratch),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    with (scratch / "s3.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log)
    command = [sys.executable, "-m", "bench.proxy", "127.0.0.1", str(port)]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert proxy.stdout is not None
        found = Landscape(proxy.stdout.readline().strip(), f"http://127.0.0.1:{port}", scratch)
        _wait_until_up(found.server)
        os.environ.update({key: value for key, value in found.variables().items() if key.startswith("AWS_")})
        _make_bucket(found.server)
        yield found
    finally:
        for process in (proxy, server):
            process.terminate()
            process.wait(20)


def _make_bucket(endpoint: str) -> None:
    import boto3

    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(endpoint: str) -> None:
    for _ in range(300):
        try:
            requests.get(f"{endpoint}/_ministack/health", timeout=2).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise SystemExit(f"the S3 server does not start at {endpoint}")
