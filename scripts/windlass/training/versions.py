"""Names the version of a model by everything that it is made from: the same inputs are the same version."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from windlass.spec.errors import WindlassError
from windlass.spec.model import Model, version_name
from windlass.training.project_files import file_digest, find_files


def expected_version(project_dir: Path, name: str, model: Model, data_digest: Callable[[str], str]) -> str:
    """The version that training the model as it stands in `project_dir` gives: 16 hex digits.

    `data_digest` returns the SHA-256 of the object that an s3:// URI names. WindlassError when a file is missing.
    """
    digests = data_digests(project_dir, name, model, data_digest)
    return version_name(version_inputs(project_dir, name, model, digests))


def version_inputs(project_dir: Path, name: str, model: Model, digests: Mapping[str, str]) -> dict[str, Any]:
    """What the version's name is the hash of; `digests` holds the SHA-256 of each data port.

    `outputs` and `files` are part of it because they say which files a version holds.
    """
    paths = code_files(project_dir, name, model)
    return {
        "code": {path: file_digest(project_dir / path) for path in paths},
        "data": {port: digests[port] for port in sorted(model.data)},
        "parameters": dict(model.parameters),
        "image": model.train.docker_image,
        "script": model.train.execution_script,
        "outputs": dict(model.outputs),
        "files": sorted(model.files),
    }


def code_files(project_dir: Path, name: str, model: Model) -> list[str]:
    """All files that `code` and `files` of the model name, sorted."""
    asked = [("code", path) for path in model.code] + [("files", path) for path in model.files]
    found = {each for key, path in asked for each in find_files(project_dir, path, f"{_where(name)}: {key}")}
    kept = [Path(path).name for path in model.files] + [
        filename for port, filename in model.outputs.items() if port != "metrics"
    ]
    for path in model.files:
        if not (project_dir / path).is_file():
            raise WindlassError(f"{_where(name)}: files: {path!r} is a folder; name each file that inference needs")
    if len(set(kept)) < len(kept):
        double = next(filename for filename in kept if kept.count(filename) > 1)
        raise WindlassError(f"{_where(name)}: a version would hold two files called {double!r}; rename one of them")
    return sorted(found)


def data_digests(project_dir: Path, name: str, model: Model, data_digest: Callable[[str], str]) -> dict[str, str]:
    """The SHA-256 of each data port's content; `data_digest` is asked about s3:// URIs only."""
    return {
        port: data_digest(source) if is_uri(source) else file_digest(data_file(project_dir, name, port, source))
        for port, source in sorted(model.data.items())
    }


def is_uri(source: str) -> bool:
    """Whether a model's data is an object in S3; otherwise it is a file of the project."""
    return source.startswith("s3://")


def data_file(project_dir: Path, name: str, port: str, path: str) -> Path:
    """The project's own file that is a model's data."""
    where = f"{_where(name)}: data: {port}"
    if "://" in path:
        raise WindlassError(f"{where}: {path!r} cannot be read; write s3://bucket/key or a path in the project")
    if find_files(project_dir, path, where) != [path]:
        raise WindlassError(f"{where}: {path!r} is a folder; name one file")
    return project_dir / path


def _where(name: str) -> str:
    return f"models/{name}.yml"
