"""Runs a command line that reads input files and writes output files."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop
from ..runtime.settings import read_settings
from ..runtime.transfer import asked, check_names


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
    template_fields = ("inputs", "parameters")  # not the script: its values are quoted for the shell, see rendered

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
        self.stop: Callable[[], None] | None = None
        check_names(self.outputs)

    def execute(self, context: Any) -> None:
        settings = read_settings()
        self.inputs = {port: asked(value) for port, value in self.inputs.items()}
        self._pass_on(self._run(settings.backend)(self, context, settings), context)

    def resume(self, context: Any, event: Any) -> None:
        """Goes on where a job on Kubernetes was deferred: its pod has ended, or is to be waited for again."""
        from ..runtime.kubernetes_backend import resume_on_kubernetes

        self._pass_on(resume_on_kubernetes(self, context, read_settings(), event), context)

    def on_kill(self) -> None:
        """What ends the script depends on where it runs, so the backend says it while it runs."""
        stop, self.stop = self.stop, None
        if stop is not None:
            stop()

    def _run(self, backend: str) -> Callable[[Any, Any, Any], dict[str, Any]]:
        """The function that runs a job on `backend`; what it needs is imported now, never for reading a DAG."""
        if backend == "local":
            from ..runtime.local_backend import run_locally

            return run_locally
        if backend == "docker":
            from ..runtime.docker_backend import run_in_docker

            return run_in_docker
        if backend == "kubernetes":
            from ..runtime.kubernetes_backend import run_on_kubernetes

            return run_on_kubernetes
        raise RuntimeStop(f"jobs.backend {backend!r} is unknown to this release; valid: local, docker, kubernetes")

    def _pass_on(self, kept: dict[str, Any], context: Any) -> None:
        for port, value in kept.items():
            context["ti"].xcom_push(key=port, value=value)

    def rendered(self, script: Any, context: Any) -> str:
        """The script after Airflow's templates; each value that they print is a mark, quoted for the shell later."""
        from jinja2 import TemplateError

        environment = self.get_template_env().overlay(finalize=script.mark)
        try:
            return str(self.render_template(script.text, context, environment))
        except TemplateError as error:
            raise RuntimeStop(f"execution_script: {error}") from error
