"""Whether a task runs at all: what an expression or a small file of another task says, asked just before it would."""

from collections.abc import Callable
from typing import Any

from .errors import RuntimeStop
from .one_word import MOST_BYTES, is_yes


def only_if(expression: str = "", *, task: str = "", port: str = "") -> Callable[[Any], None]:
    """Skips the task where the expression, or the file of `port` of `task`, says no: 0, false, none or nothing."""

    def only_if_it_says_yes(context: Any) -> None:
        if not _says_yes(context, expression, task, port):
            _skip(f"only_if {_shown(expression, task, port)} says no")

    return only_if_it_says_yes


def skip_if(expression: str = "", *, task: str = "", port: str = "") -> Callable[[Any], None]:
    """Skips the task unless the expression, or the file of `port` of `task`, says no: 0, false, none or nothing."""

    def skip_if_it_says_yes(context: Any) -> None:
        if _says_yes(context, expression, task, port):
            _skip(f"skip_if {_shown(expression, task, port)} says yes")

    return skip_if_it_says_yes


def word_of(port: str, value: Any) -> str:
    """The text of the small file that another task left, without the white space around it."""
    from .settings import read_settings
    from .storage import Storage
    from .transfer import reference

    file, settings = reference(port, value), read_settings()
    if int(file["size"]) > MOST_BYTES:
        raise RuntimeStop(f"{port!r} has {file['size']} bytes; what decides is one word, of at most {MOST_BYTES} bytes")
    content = b"".join(Storage(settings.endpoint).chunks(settings.data, str(file["key"])))
    try:
        return content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise RuntimeStop(f"{port!r} is not text; what decides is one word") from None


def _says_yes(context: Any, expression: str, task: str, port: str) -> bool:
    if port:
        said = word_of(f"{task}.{port}", context["ti"].xcom_pull(task_ids=task, key=port))
    else:
        said = str(context["task"].render_template(expression, context))
    return is_yes(said)


def _shown(expression: str, task: str, port: str) -> str:
    return repr(f"{task}.{port}" if port else expression)


def _skip(reason: str) -> None:
    from .of_airflow import AirflowSkipException

    raise AirflowSkipException(reason)
