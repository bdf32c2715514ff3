"""One Airflow instance of the stack: its settings, all from its environment, and how one sees that it works."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from windlass.spec.errors import WindlassError

from . import policies
from .service import Service, ask
from .settings import REGION, Settings

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
BUNDLE = "windlass"

Bundle = dict[str, Any]


def release_bundle(environment: str) -> Bundle:
    """Airflow's entry for the bundle that an environment's releases come from."""
    return {
        "name": BUNDLE,
        "classpath": "windlass.airflow.bundle.ReleaseBundle",
        "kwargs": {"bucket": policies.CODE, "prefix": environment, "refresh_interval": 3},
    }


def service(
    home: Path, settings: Settings, environment: str, bundle: Callable[[str], Bundle] = release_bundle
) -> Service:
    """How the Airflow of `environment` is started."""
    if importlib.util.find_spec("airflow") is None:
        raise WindlassError("Airflow is not installed: pip install 'windlass[airflow]'")
    folder = home / environment
    passwords = folder / "passwords.json"
    return Service(
        name=environment,
        url=settings.url(environment),
        command=[
            *(sys.executable, "-m", "windlass.stack.airflow_instance"),
            *(str(folder), str(home / "airflow-template"), *COMPONENTS),
        ],
        environment=_airflow(folder, passwords, settings, environment, bundle(environment))
        | aws(settings, environment),
        folder=folder,
        log=folder / "logs" / "instance.log",
        ailing=lambda: ailing(settings.url(environment)),
        patience=240,
        files={passwords: json.dumps({"admin": settings.airflow[environment].password})},
    )


def aws(settings: Settings, environment: str) -> dict[str, str]:
    """The instance's own S3 credentials; no file of the person who starts the stack is read."""
    credentials = settings.users[f"airflow-{environment}"]
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_ENDPOINT_URL": settings.url("s3"),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _airflow(folder: Path, passwords: Path, settings: Settings, environment: str, bundle: Bundle) -> dict[str, str]:
    secrets, url = settings.airflow[environment], settings.url(environment)
    options = {
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__DAGS_FOLDER": str(folder / "dags"),
        "CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "CORE__FERNET_KEY": secrets.fernet,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        # A first request may import for seconds while it holds SQLite's lock; the default patience is 5 s, then 500.
        # Yet two requests of one API server can wait for each other: that must end before their clients give up (30 s).
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}?timeout=20",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(settings.ports[environment]),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__INSTANCE_NAME": f"windlass {environment}",
        "API__SECRET_KEY": secrets.session,
        "API_AUTH__JWT_SECRET": secrets.jwt,
        "LOGGING__BASE_LOG_FOLDER": str(folder / "task-logs"),
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(folder / "bundles"),
        "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # The default of 30 s would keep a DAG that was just promoted from being promoted or rolled back again.
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    }
    named = {f"AIRFLOW__{option}": value for option, value in options.items()}
    return named | {"AIRFLOW_HOME": str(folder), "AIRFLOW_CONFIG": str(folder / "airflow.cfg")}


def ailing(url: str) -> str | None:
    """None when every component of the instance is healthy, else what is missing."""
    answer = ask(f"{url}/api/v2/monitor/health")
    if answer is None or not answer.ok:
        return "does not answer yet"
    report = answer.json()
    wanted = {"metadatabase", "scheduler", "dag_processor"} | ({"triggerer"} & set(COMPONENTS))
    ill = sorted(name for name in wanted if (report.get(name) or {}).get("status") != "healthy")
    return f"waits for {', '.join(ill)}" if ill else None
