"""windlass lifts models and pipelines from a merge request to production Airflow."""

__version__ = "0.1.0"
