"""Tells people something."""

from typing import Any

from airflow.sdk import BaseOperator


class Notify(BaseOperator):
    """Sends a message by an Airflow connection: to a chat's webhook or by mail.

    A connection of the type `http` gets `{"text": message}` as JSON, which Slack, Mattermost, Teams and others
    understand; its whole address may stand in `host`. One of the type `smtp` sends a mail.

    Args:
        connection: The Airflow connection, of the type `http` or `smtp`. Addresses and passwords live only there.
        message: What to say. May contain Airflow's `{{ ds }}` and `{{ dag.dag_id }}`.
        subject: The subject of a mail; by default the pipeline and its run.
        to: The addresses that a mail goes to.

    Example:
        tell:
          operator_type: notify
          connection: chat
          message: "{{ dag.dag_id }} of {{ ds }} is done"
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    template_fields = ("message", "subject", "to")

    def __init__(
        self,
        *,
        connection: str,
        message: str,
        subject: str | None = None,
        to: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.connection = connection
        self.message = message
        self.subject = subject
        self.to = to

    def execute(self, context: Any) -> None:
        from ..runtime.message import send

        subject = self.subject or f"{context['ti'].dag_id} {context['ti'].run_id}"
        send(self.connection, self.message, subject, self.to or [])
        self.log.info("told %s", self.connection)
