"""Takes a file from a web server into a pipeline."""

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.transfer import check_names, only_port


class HttpToFile(BaseOperator):
    """Fetches one file by HTTP and passes it on as its only output; an answer other than 200 to 299 ends the task.

    Args:
        url: The address, or the path below the connection's server. May contain Airflow's `{{ ds }}`. It is shown in
            logs without its query.
        connection: An Airflow connection of the type `http`. Login and password are sent as basic authentication, a
            password alone as a bearer token, the keys of `extra` as headers, and all of them to its own server only.
        headers: Further headers. What is secret belongs into the connection: these stand in the release.
        timeout: How long the server may be silent.
        max_size: The largest file that is taken, like `512Mi`.
        outputs: The one output port and its file name.

    Example:
        rates:
          operator_type: http_to_file
          connection: bank
          url: "/rates/{{ ds }}.csv"
          timeout: 30 seconds
          outputs: {data: rates.csv}
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {"?": ""}
    template_fields = ("url", "headers")

    def __init__(
        self,
        *,
        url: str,
        connection: str | None = None,
        headers: dict[str, str] | None = None,
        timeout: timedelta = timedelta(minutes=1),
        max_size: str = "1Gi",
        outputs: dict[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        from ..runtime.csv_text import parse_size

        only_port("http_to_file", "output", outputs)
        check_names(outputs)
        self.url = url
        self.connection = connection
        self.headers = headers
        self.timeout = timeout
        self.max_size = max_size
        self.outputs = outputs
        parse_size(max_size)

    def execute(self, context: Any) -> None:
        from ..runtime.csv_text import parse_size
        from ..runtime.task_files import task_files
        from ..runtime.web import Server, download, server

        (port,) = self.outputs
        at = server(self.connection) if self.connection else Server()
        with task_files(self, context) as files:
            most, seconds = parse_size(self.max_size), self.timeout.total_seconds()
            download(self.url, files.output(port), at, self.headers or {}, seconds, most)
            files.keep(port)
