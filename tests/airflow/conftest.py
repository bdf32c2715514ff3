"""A bundle over a store in memory, with its own storage folder."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# read when airflow is imported: before any fixture. Processes of one test run share none, whoever started them
if "AIRFLOW_HOME" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="windlass-airflow-home-")
    atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)

from tests.fakes.memory_store import MemoryStore
from tests.fakes.releases import PREFIX

BundleFactory = Callable[..., Any]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / "bundles"))
    return tmp_path / "bundles"


@pytest.fixture
def bundle(store: MemoryStore, storage: Path) -> BundleFactory:
    """Makes a bundle as a new process would: nothing is remembered but what is on disk."""
    from windlass.airflow.bundle import ReleaseBundle

    def make(version: str | None = None, **kwargs: Any) -> ReleaseBundle:
        made = ReleaseBundle(name="windlass", bucket="code", prefix=PREFIX, version=version, **kwargs)
        made._opened = store
        return made

    return make
