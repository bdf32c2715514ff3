"""What stops a command, and the exit code that each kind of stop has."""

from typing import ClassVar


class WindlassError(Exception):
    """A request that cannot be met; the message is one sentence for a person, without a traceback."""

    exit_code: ClassVar[int] = 2


class DeliveryError(WindlassError):
    """A release, promotion or rollback that windlass refuses: the environment stays as it was."""


class ServiceError(WindlassError):
    """S3, Airflow or GitLab answered, and the answer was no."""

    exit_code = 3


class TransientError(WindlassError):
    """A service could not be reached or was busy: the same command may work in a moment."""

    exit_code = 75
