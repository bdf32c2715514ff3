"""A pipeline as each environment sees it, and where a value that differs there is written."""

from collections.abc import Iterator

from windlass.lint.project import PipelineFile
from windlass.spec.document import Location
from windlass.spec.pipeline import Pipeline


def variants(file: PipelineFile) -> Iterator[tuple[str | None, Pipeline]]:
    """The pipeline as it is without an environment (None), and in each environment that it has an overlay for."""
    if file.pipeline:
        yield None, file.pipeline
        yield from file.pipeline.variants.items()


def written(file: PipelineFile, environment: str | None, location: Location) -> Location:
    """Where the value at `location` stands: in the environment's overlay if it has one."""
    overlay = ("environments", environment or "", *location)
    return overlay if overlay in file.document.values else location
