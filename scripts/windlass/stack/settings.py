"""What a stack remembers, in `stack.json`: ports, secrets and processes. Only its owner may read it."""

import base64
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from windlass.spec.errors import WindlassError

ENVIRONMENTS = ("dev", "stage", "prod")
UPSTREAM = {"stage": "dev", "prod": "stage"}
REGION = "us-east-1"


def _fernet_key() -> str:
    """A key as cryptography.fernet wants it: 32 random bytes, url-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


class Credentials(BaseModel):
    """An S3 access key."""

    access_key_id: str
    secret_access_key: str = Field(repr=False)


class Running(BaseModel):
    """A process that was started, and the fingerprint of what it was started with."""

    pid: int
    started: int
    boot: str
    fingerprint: str


class AirflowSecrets(BaseModel):
    """The secrets of one Airflow instance."""

    password: str = Field(repr=False, default_factory=lambda: secrets.token_urlsafe(12))
    jwt: str = Field(repr=False, default_factory=lambda: secrets.token_urlsafe(48))
    session: str = Field(repr=False, default_factory=lambda: secrets.token_urlsafe(32))
    fernet: str = Field(repr=False, default_factory=_fernet_key)


class Settings(BaseModel):
    """The whole of `stack.json`."""

    ports: dict[str, int] = {}
    # ministack does not check the root user's signature, so the key's name is as secret as the key
    root: Credentials = Field(
        default_factory=lambda: Credentials(
            access_key_id="ROOT" + secrets.token_hex(16).upper(), secret_access_key=secrets.token_hex(20)
        )
    )
    users: dict[str, Credentials] = {}
    operator_token: str = Field(repr=False, default_factory=lambda: "glpat-" + secrets.token_hex(16))
    airflow: dict[str, AirflowSecrets] = Field(default_factory=lambda: {e: AirflowSecrets() for e in ENVIRONMENTS})
    processes: dict[str, Running] = {}

    def url(self, service: str) -> str:
        """The address of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"


def load(home: Path) -> Settings | None:
    """The settings of the stack in `home`, or None where there is none yet."""
    path = home / "stack.json"
    try:
        return Settings.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise WindlassError(f"{path} is damaged: end what runs in {home}, then remove that folder") from error


def save(home: Path, settings: Settings) -> None:
    """Writes `stack.json` whole, for its owner only."""
    write_private(home / "stack.json", settings.model_dump_json(indent=2))


def write_private(path: Path, text: str) -> None:
    """Writes a file atomically that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    aside.replace(path)
