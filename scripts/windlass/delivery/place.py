"""A place: one environment's prefix in the bucket for code and in the bucket for models."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.spec.store import Store


@dataclass(frozen=True)
class Place:
    """Where the releases, states and models of the environment `name` are kept, and whose signatures it trusts.

    `signers` are public keys by name; where there are any, only what one of them signed may become live here.
    Where it is `plain`, what is live is also laid out as files below `dags/`.
    """

    name: str
    prefix: str
    code: Store
    models: Store
    signers: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False
