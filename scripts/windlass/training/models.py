"""The models that a project describes in `models/*.yml`."""

from collections.abc import Collection
from pathlib import Path

from windlass.spec.errors import WindlassError
from windlass.spec.files import parse_file
from windlass.spec.model import Model, read_model
from windlass.spec.names import check_word
from windlass.spec.problem import near


def load_models(project_dir: Path, names: Collection[str] = ()) -> dict[str, Model]:
    """The models called `names`, by default all of the project, by name; empty when it has none.

    WindlassError names the first problem of a file: `windlass lint` shows all of them.
    """
    paths = {path.stem: path for path in sorted((project_dir / "models").glob("*.yml"))}
    for name in names:
        if name not in paths:
            raise WindlassError(f"there is no model {name!r} in models/{near(name, paths)}")
    return {name: _load(project_dir, name) for name in paths if not names or name in names}


def _load(project_dir: Path, name: str) -> Model:
    path = f"models/{name}.yml"
    try:
        check_word(name)
    except ValueError as error:
        raise WindlassError(f"{path}: {error}") from error
    document = parse_file(project_dir, path)
    model = read_model(document)
    if model is None or document.problems:
        raise WindlassError(f"{document.problems[0]}; `windlass lint` shows everything")
    return model
