"""Messages to people, by an Airflow connection: a chat's webhook or a mail."""

from collections.abc import Sequence
from html import escape

from .errors import RuntimeStop
from .web import post, server

TIMEOUT = 30.0
TYPES = ("http", "smtp")


def send(connection: str, message: str, subject: str, to: Sequence[str] = ()) -> None:
    """Sends `message` by the Airflow connection; `subject` and `to` are for mail. What went wrong is one sentence."""
    from airflow.sdk import Connection

    from .of_airflow import AirflowNotFoundException

    try:
        kind = Connection.get(connection).conn_type
    except AirflowNotFoundException as error:
        raise RuntimeStop(f"there is no connection {connection!r} in this Airflow; declare it") from error
    if kind == "http":
        post(server(connection), {"text": message}, TIMEOUT)
    elif kind == "smtp":
        _mail(connection, message, subject, list(to))
    else:
        raise RuntimeStop(f"connection {connection!r} is of the type {kind!r}; a message needs {' or '.join(TYPES)}")


def _mail(connection: str, message: str, subject: str, to: list[str]) -> None:
    import smtplib

    if not to:
        raise RuntimeStop(f"connection {connection!r} sends mail; name the addresses in `to`")
    try:
        from airflow.providers.smtp.hooks.smtp import SmtpHook
    except ImportError as error:
        raise RuntimeStop("this Airflow lacks the mail provider; add apache-airflow-providers-smtp") from error
    from airflow.sdk.exceptions import AirflowException

    try:
        with SmtpHook(smtp_conn_id=connection) as hook:
            hook.send_email_smtp(to=to, subject=" ".join(subject.split()), html_content=f"<pre>{escape(message)}</pre>")
    except (smtplib.SMTPException, OSError, AirflowException) as error:
        raise RuntimeStop(f"connection {connection!r}: the mail server refused: {str(error)[:300]}") from error
