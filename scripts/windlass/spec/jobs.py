"""How the jobs of an environment run: where, in how large a machine, and what a container or a pod needs."""

from datetime import timedelta
from typing import Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_serializer,
    model_serializer,
    model_validator,
)

from windlass.spec.duration import Duration, duration_text, parse_duration
from windlass.spec.schema import Noun, Text

SIZE = r"^[1-9][0-9]*(Mi|Gi)$"
"""How memory and disk are written."""


class Toleration(Noun):
    """A taint of nodes that a pod does not mind, as Kubernetes writes it."""

    key: Text | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


class _Spare(Noun):
    """Is written without what is as usual: what reads a state or environment.json may not know the newest keys."""

    _always: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _said(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        usual = {name: field.default for name, field in type(self).model_fields.items()}
        return {
            name: value
            for name, value in write(self).items()
            if name in self._always or getattr(self, name) != usual[name]
        }


class Flavor(_Spare):
    """The size of machine that a job may ask for; sizes as Kubernetes writes them: `4Gi`."""

    _always = ("cpus", "memory", "gpus")

    cpus: float | int = 1
    memory: str = Field(default="1Gi", pattern=SIZE)
    gpus: int = 0
    disk: str | None = Field(default=None, pattern=SIZE)
    gpu_resource: Text = "nvidia.com/gpu"
    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []


class Jobs(_Spare):
    """Where jobs run, and what a container or a pod of one needs; the keys of another backend are not looked at."""

    _always = ("backend",)

    backend: Literal["local", "docker", "kubernetes"] = "local"
    stage_image: Text | None = None
    connection: Text | None = None
    endpoint: Text | None = None
    daemon: Text | None = None
    network: Text | None = None
    namespace: Text | None = None
    service_account: Text | None = None
    secrets: list[Text] = []
    pull_secrets: list[Text] = []
    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []
    start_within: Duration = parse_duration("10 minutes")
    deferrable: bool = False

    @field_serializer("start_within")
    def _as_written(self, value: timedelta) -> str:
        return duration_text(value)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.backend != "local" and self.stage_image is None:
            raise ValueError(
                f"backend {self.backend!r} needs stage_image, the image that fetches a job's inputs and keeps its "
                "outputs; build it from ci/images/stage"
            )
        if self.backend == "kubernetes" and self.namespace is None:
            raise ValueError("backend 'kubernetes' needs namespace, where the pods of jobs are made")
        return self
