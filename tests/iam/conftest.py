"""An S3 server that enforces the documents of docs/iam.md, with a user for each of them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.iam import page
from tests.iam.questions import Document, Question, question
from windlass.stack import object_store, ports
from windlass.stack.service import base_environment
from windlass.stack.settings import ENVIRONMENTS, REGION, UPSTREAM, Settings

ROOT = Path(__file__).parents[2]

TOGETHER = {f"deliver-plain-{one}": (f"deliver-{one}", f"deliver-plain-{one}") for one in ENVIRONMENTS} | {
    f"plan-all-{one}": ("plan-dev", f"plan-{one}") for one in UPSTREAM
}
"""Users that have more than one document, as docs/iam.md says."""


@dataclass
class Guarded:
    """The server, its users, and what they asked it."""

    settings: Settings
    users: dict[str, tuple[str, ...]]
    documents: dict[str, Document]
    log: Path
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, user: str) -> Any:
        """boto3 as `user`."""
        if user not in self.clients:
            self.clients[user] = object_store.client(self.settings, self.settings.users[user])
        return self.clients[user]

    def variables(self, user: str) -> dict[str, str]:
        """What makes boto3's own chain find `user`."""
        credentials = self.settings.users[user]
        return {
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.settings.url("s3"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def asked(self) -> dict[str, set[Question]]:
        """What each user asked for so far and got."""
        found: dict[str, set[Question]] = {user: set() for user in self.users}
        names = {credentials.access_key_id: user for user, credentials in self.settings.users.items()}
        for line in self.log.read_text().splitlines():
            if '"allowed": true' in line:
                user = names.get(line.partition('"key": "')[2].partition('"')[0])
                if user is not None:
                    found[user].add(question(line))
        return found


def users(documents: dict[str, Document]) -> dict[str, tuple[str, ...]]:
    """A user for each document, and those that have two."""
    return {name: (name,) for name in documents} | TOGETHER


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The server with the buckets, their policies and all users."""
    home = tmp_path_factory.mktemp("iam")
    settings = Settings(ports={"s3": ports.choose(set())})
    service = object_store.service(home, settings)
    service.folder.mkdir(parents=True)
    log = home / "questions"
    environment = base_environment() | service.environment | {"QUESTIONS": str(log), "PYTHONPATH": str(ROOT)}
    log.touch()
    with (home / "log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.iam.server"], env=environment, cwd=ROOT, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 60
        while service.ailing():
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        documents = page.identity()
        known = users(documents)
        settings.users = object_store.provision(settings, documents, known, _bucket_policies())
        yield Guarded(settings, known, documents, log)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _bucket_policies() -> dict[str, Document]:
    return {f"windlass-{name}": text for name, text in page.documents("bucket-").items()}


@pytest.fixture
def as_user(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes this process the user for boto3's own chain."""

    def become(user: str) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in guarded.variables(user).items():
            monkeypatch.setenv(name, value)

    return become
