"""A place: one environment's prefix in the bucket for code and in the bucket for models."""

from dataclasses import dataclass

from windlass.spec.store import Store


@dataclass(frozen=True)
class Place:
    """Where the releases, states and models of the environment `name` are kept."""

    name: str
    prefix: str
    code: Store
    models: Store
