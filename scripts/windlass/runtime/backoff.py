"""By which factor the waits between tries grow; where Airflow can only double them, the sentence that says so."""

from airflow import __version__

from .errors import RuntimeStop


def backoff(factor: float) -> float:
    """`factor` itself. Airflow 3.1 doubles the waits or leaves them as they are: RuntimeStop there."""
    if __version__.startswith("3.1."):
        raise RuntimeStop(
            f"this pipeline has `retry_backoff: {factor}`, which needs Airflow 3.2 or newer, and this is "
            f"{__version__}: make it `true`, which doubles each wait, or upgrade"
        )
    return factor
