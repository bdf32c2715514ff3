"""Finds a pipeline and a task by what a person calls them: whole names, or their ends where only one fits."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from windlass.spec.errors import WindlassError
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import near


def find_pipeline(word: str, pipelines: Mapping[str, Pipeline]) -> Pipeline:
    """The pipeline of that name, path or file name without its ending; `pipelines` are by their paths."""
    if not pipelines:
        raise WindlassError("there is nothing to run: no pipelines/*.yml here")
    for path, pipeline in pipelines.items():
        if word in (pipeline.dag.name, path, PurePosixPath(path).stem):
            return pipeline
    names = [pipeline.dag.name for pipeline in pipelines.values()]
    raise WindlassError(f"there is no pipeline {word!r} here{near(word, names)}")


def find_task(word: str, pipeline: Pipeline) -> str:
    """The id of the task of that name, or of the only one whose name ends so."""
    found = ending_with(word, pipeline.task_ids)
    if len(found) == 1:
        return found[0]
    if found:
        raise WindlassError(f"{word!r} is the end of several tasks: {', '.join(found)}; give the whole name")
    words = {*pipeline.task_ids, *(task_id.rpartition(".")[2] for task_id in pipeline.task_ids)}
    raise WindlassError(f"pipeline {pipeline.dag.name!r} has no task {word!r}{near(word, words)}")


def ending_with(word: str, names: Iterable[str]) -> list[str]:
    """The name that is `word`, else those that end with it after a dot."""
    known = list(names)
    return [word] if word in known else [name for name in known if name.endswith(f".{word}")]
