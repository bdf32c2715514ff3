"""Names of Airflow that 3.1 keeps in another place than 3.2 and later; what is new asks here and works on all three."""

try:
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException
except ImportError:  # Airflow 3.1
    from airflow.exceptions import (  # type: ignore[attr-defined,no-redef]  # gone in the version that mypy sees
        AirflowNotFoundException,
        AirflowSkipException,
    )

try:
    from airflow.sdk import SkipMixin
except ImportError:  # Airflow 3.1
    from airflow.providers.standard.utils.skipmixin import SkipMixin  # type: ignore[assignment]  # the same class by its old name

try:
    from airflow.sdk.configuration import conf
except ImportError:  # Airflow 3.1
    from airflow.configuration import conf

__all__ = ["AirflowNotFoundException", "AirflowSkipException", "SkipMixin", "conf"]
