"""Runs a command line that reads input files and writes output files."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop
from ..runtime.settings import read_settings
from ..runtime.transfer import check_names, fetch_input, transfer_folder


class JobOperator(BaseOperator):
    """Runs a script with its inputs as local files and passes the files that it wrote on to the following tasks.

    In the script, `{port}` is the local path of an input or output; a model is a folder with its files. Airflow's
    `{{ ds }}` works too. windlass quotes all of these for the shell itself.

    Args:
        execution_script: What `sh` runs, in a folder of its own, without any credentials of the worker.
        docker_image: The image to run in, one of the environment's `images`.
        resource_flavor: The size of machine, one of the environment's `flavors`.
        execution_time: The time limit; then the script and all that it started are ended.
        inputs: What each input port takes: another task's output, or `model:NAME@VERSION`.
        outputs: The file name of each output port. A file that is missing or empty at the end is an error.
        parameters: Values for `{name}` in the script that are no files.
    """

    inputs: dict[str, Any] = {"*": ""}
    outputs: dict[str, str] = {"*": ""}
    template_fields = ("inputs",)  # not the script: its values have to be quoted for the shell, see _rendered

    def __init__(
        self,
        *,
        execution_script: str,
        docker_image: str,
        resource_flavor: str | None = None,
        execution_time: timedelta,
        inputs: dict[str, Any] | None = None,
        outputs: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.execution_script = execution_script
        self.docker_image = docker_image
        self.resource_flavor = resource_flavor
        self.execution_time = execution_time
        self.inputs = inputs or {}
        self.outputs = outputs or {}
        self.parameters = parameters or {}
        self._running = False
        check_names(self.outputs)

    def execute(self, context: Any) -> None:
        from ..runtime.job import Job, JobFiles, run_job
        from ..runtime.storage import Storage

        settings = read_settings()
        if settings.backend != "local":
            raise RuntimeStop(f"jobs.backend {settings.backend!r} is unknown to this release; valid: 'local'")
        storage, transfer, kept = Storage(settings.endpoint), transfer_folder(settings, context["ti"]), {}

        def fetch(port: str, folder: Path) -> Path:
            path = fetch_input(storage, settings, port, self.inputs[port], folder)
            self.log.info("fetched input %s to %s", port, path)
            return path

        def keep(port: str, path: Path) -> None:
            kept[port] = storage.keep(settings.data, f"{transfer}/{path.name}", path)
            self.log.info("kept output %s: s3://%s/%s", port, settings.data, kept[port]["key"])

        job = Job(self.execution_script, self.execution_time, tuple(self.inputs), self.outputs, self.parameters)
        self._running = True
        with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
            finished = run_job(
                job, Path(folder), JobFiles(fetch, keep), self.log.info, lambda script: self._rendered(script, context)
            )
        self._running = False
        self.log.info("the script ended well after %.1f seconds", finished.seconds)
        for port, value in kept.items():
            context["ti"].xcom_push(key=port, value=value)

    def on_kill(self) -> None:
        """Airflow calls this at SIGTERM and then lets `execute` go on: only raising ends the script and the task."""
        if self._running:
            self._running = False
            raise RuntimeStop("the task was told to stop while its script ran; the script was ended")

    def _rendered(self, script: Any, context: Any) -> str:
        """The script after Airflow's templates; each value that they print is a mark, quoted for the shell later."""
        from jinja2 import TemplateError

        environment = self.get_template_env().overlay(finalize=script.mark)
        try:
            return str(self.render_template(script.text, context, environment))
        except TemplateError as error:
            raise RuntimeStop(f"execution_script: {error}") from error
