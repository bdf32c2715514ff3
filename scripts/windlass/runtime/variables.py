"""What the script of a job may know of the run that it belongs to."""

from typing import Any

from .settings import Settings


def run_variables(settings: Settings, task_instance: Any) -> dict[str, str]:
    """The environment variables WINDLASS_..., the same in every backend."""
    return {
        "WINDLASS_PIPELINE": str(task_instance.dag_id),
        "WINDLASS_TASK": str(task_instance.task_id),
        "WINDLASS_RUN_ID": str(task_instance.run_id),
        "WINDLASS_ENVIRONMENT": settings.name,
        "WINDLASS_TRY": str(task_instance.try_number),
        "WINDLASS_MAP_INDEX": str(max(task_instance.map_index, 0)),
    }
