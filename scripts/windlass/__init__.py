"""windlass lifts models and pipelines from a merge request to production Airflow."""

__version__ = "0.1.0.dev0"
"""Ends with `.dev0` until the tag of the version is made; a tool without a tag includes its platform at `main`."""
