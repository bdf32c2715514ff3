"""The settings of the environment in which a release runs: `environment.json` at the root of the Airflow bundle."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from .errors import RuntimeStop


@dataclass(frozen=True)
class Settings:
    """What differs between environments; it holds no secret. `data` and `models` are buckets."""

    name: str
    prefix: str
    data: str
    models: str
    endpoint: str | None
    backend: str
    flavors: dict[str, Any]
    images: dict[str, str]
    notify: dict[str, Any]
    jobs: dict[str, Any] = field(default_factory=dict)


def by_environment(usual: Any, /, **others: Any) -> Any:
    """The value for the environment that reads the DAG, else `usual`; also where no environment is known.

    Nothing but the environment's name is read, so that a DAG file stays light.
    """
    return others.get(_environment_name() or "", usual)


@cache
def _environment_name() -> str | None:
    path = settings_path()
    try:
        name = json.loads(path.read_bytes())["name"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RuntimeStop(f"{path} is not an environment's settings: {type(error).__name__} {error}") from error
    return name if isinstance(name, str) else None


def settings_path() -> Path:
    """Where the settings are staged, as seen from this very file.

    The path is never resolved: the release is a link that all versions share, the settings belong to one version.
    """
    return Path(__file__).parents[2] / "environment.json"


def read_settings(path: Path | None = None) -> Settings:
    """The settings in `path`, by default the staged ones; RuntimeStop when they are missing or not readable."""
    path = path or settings_path()
    try:
        document = json.loads(path.read_bytes())
        buckets = document["s3"]
        return Settings(
            name=document["name"],
            prefix=document["prefix"],
            data=buckets["data"],
            models=buckets["models"],
            endpoint=buckets.get("endpoint"),
            backend=document.get("jobs", {}).get("backend", "local"),
            flavors=document.get("flavors", {}),
            images=document.get("images", {}),
            notify=document.get("notify", {}),
            jobs=document.get("jobs", {}),
        )
    except FileNotFoundError:
        raise RuntimeStop(f"there are no settings at {path}; the bundle must stage environment.json there") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RuntimeStop(f"{path} is not an environment's settings: {type(error).__name__} {error}") from error
