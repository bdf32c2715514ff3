"""Airflow's names for deadlines, and where it has none of use the sentence that says which Airflow has them."""

try:
    from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback  # type: ignore[attr-defined]  # loaded lazily, without types
except ImportError:  # Airflow 3.1 knows alerts that run in the triggerer only, which sees no release
    from airflow import __version__

    raise ImportError(
        f"this pipeline has a `deadline`, which needs Airflow 3.2 or newer, and this is {__version__}: "
        "take `deadline` out of its `dag`, or upgrade"
    ) from None

__all__ = ["DeadlineAlert", "DeadlineReference", "SyncCallback"]
