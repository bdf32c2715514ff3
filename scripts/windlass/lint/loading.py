"""The rules of `windlass check`, which asks Airflow itself; lint finds none of them and explains them all the same."""

from collections.abc import Mapping
from types import MappingProxyType

LOADING: Mapping[str, str] = MappingProxyType(
    {
        "check-load": """Airflow loads the DAG, finds it in its file, and finds no second one of that name.

Its code does not end the process, comes to an end, leaves no processes behind, and neither reaches for the network,
nor starts a process, nor reads credentials.""",
        "check-serialize": """Airflow can keep the DAG, and reads back the same tasks, groups and orders.""",
        "check-stable": """The DAG is the same each time it is loaded.

Else Airflow would make a new version of it each time. It is loaded in two processes that differ in hash seed, time and
day.""",
        "check-slow": """Importing the DAG takes at most a second; Airflow does it before each of its tasks too.

This is a warning only.""",
    }
)
"""What each of them says, by its name."""
