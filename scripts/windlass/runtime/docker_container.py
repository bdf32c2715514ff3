"""Airflow's DockerOperator with the limits of a flavor and a log that has an end; imported when a job runs."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from airflow.providers.docker.operators.docker import DockerOperator

from .bounded_log import bounded


class Container(DockerOperator):  # type: ignore[misc, unused-ignore]  # typed or not, by its version
    """One container; `limits` go into its host's configuration and `tail` holds its last lines when it has ended."""

    def __init__(self, *, limits: Mapping[str, Any], **keywords: Any) -> None:
        super().__init__(**keywords)
        self.limits = dict(limits)
        self.tail: list[str] = []

    @cached_property
    def cli(self) -> Any:
        """The daemon's client, as DockerOperator uses it."""
        return _Client(self.hook.api_client, self.limits, self.tail)


class _Client:
    """The client of the daemon, but for what DockerOperator leaves out: limits of a container and of its log."""

    def __init__(self, client: Any, limits: Mapping[str, Any], tail: list[str]) -> None:
        self._client, self._limits, self._tail = client, limits, tail

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create_host_config(self, **keywords: Any) -> Any:
        return self._client.create_host_config(**{**keywords, **self._limits})

    def attach(self, container: Any, **keywords: Any) -> Iterator[bytes]:
        return bounded(self._client.attach(container, **keywords), self._tail)
