"""Servers that speak S3: moto in this process, and ministack as its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import requests

from tests.fakes.memory_store import MemoryStore
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.adapters.s3 import open_bucket
from windlass.spec.store import Store

os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = "10"  # pages that a test can fill


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with moto_server("code") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ministack without enforced credentials; the local stack's own tests turn those on."""
    folder = tmp_path_factory.mktemp("ministack")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": "s3,iam,sts",
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "data"),
        "TMPDIR": str(folder),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    endpoint = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log)
    try:
        wait_for(endpoint, folder / "log")
        boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ).create_bucket(Bucket="code")
        yield endpoint
    finally:
        server.terminate()
        server.wait(20)


def wait_for(endpoint: str, log: Path) -> None:
    for _ in range(600):
        try:
            if requests.get(f"{endpoint}/_ministack/health", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    pytest.fail(f"ministack does not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(params=["memory", "moto", pytest.param("ministack", marks=pytest.mark.stack)])
def store(request: pytest.FixtureRequest) -> Store:
    """Each implementation of the port in turn."""
    if request.param == "memory":
        return MemoryStore()
    return open_bucket("code", request.getfixturevalue(request.param))


@pytest.fixture
def in_parts(store: Store, request: pytest.FixtureRequest) -> Store:
    """The same store, sending what is larger than 6 MiB in parts, as S3 wants what is larger than 5 GiB."""
    if isinstance(store, MemoryStore):
        return store
    endpoint = request.getfixturevalue(request.node.callspec.params["store"])
    return open_bucket("code", endpoint, largest_put=6 * 1024**2, part=5 * 1024**2)


@pytest.fixture
def more_than_a_page(request: pytest.FixtureRequest) -> int:
    """How many keys do not fit into one page of the store's listing."""
    return 1050 if request.node.callspec.params["store"] == "ministack" else 25
