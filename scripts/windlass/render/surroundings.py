"""What a pipeline is rendered with: the project, its operators, the models' versions and the texts of its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.catalog.operator import Catalog


@dataclass(frozen=True)
class Surroundings:
    """`pins` are versions of models by name; `texts` what is in the files that pipelines name, by path.

    Where they are `paused`, Airflow runs nothing of a new DAG before somebody says so.
    """

    project: str
    catalog: Catalog
    pins: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    paused: bool = False
