"""The files of a new repository, as text: the same request always gives the same bytes."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import jinja2
import yaml

from windlass.spec.errors import WindlassError
from windlass.spec.names import project_name

Kind = Literal["model", "pipelines"]
KINDS: tuple[Kind, ...] = ("model", "pipelines")

_SHARED = (
    (".gitlab-ci.yml", "shared/gitlab-ci.yml"),
    (".gitignore", "shared/gitignore"),
    (".pre-commit-config.yaml", "shared/pre-commit-config.yaml"),
)
_CASE = "tests/jobs/{name}/transform.score/two_flats"
_ORDER_CASE = "tests/jobs/{name}/transform.order/three_rows"
FILES: dict[Kind, tuple[tuple[str, str], ...]] = {
    "model": (
        *_SHARED,
        ("README.md", "model/README.md"),
        ("models/{name}.yml", "model/model.yml"),
        ("pipelines/{name}.yml", "model/pipeline.yml"),
        ("train.py", "model/train.py"),
        ("score.py", "model/score.py"),
        ("table.py", "model/table.py"),
        ("tests/test_model.py", "model/test_model.py"),
        ("data/train.csv", "model/train.csv"),
        ("data/holdout.csv", "model/holdout.csv"),
        ("data/batch.csv", "model/batch.csv"),
        (f"{_CASE}/case.yml", "model/case.yml"),
        (f"{_CASE}/inputs/rows.csv", "model/case_rows.csv"),
        (f"{_CASE}/expected/scores.csv", "model/case_scores.csv"),
    ),
    "pipelines": (
        *_SHARED,
        ("README.md", "pipelines/README.md"),
        ("pipelines/{name}.yml", "pipelines/pipeline.yml"),
        ("data/batch.csv", "pipelines/batch.csv"),
        (f"{_ORDER_CASE}/case.yml", "pipelines/case.yml"),
        (f"{_ORDER_CASE}/inputs/rows.csv", "pipelines/case_rows.csv"),
        (f"{_ORDER_CASE}/expected/ordered.csv", "pipelines/case_ordered.csv"),
    ),
}
"""Path in the repository and template of each file, by kind."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]+")
_REFERENCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
"""What `ci/*.yml` take as `platform` and `platform_ref`."""


@dataclass(frozen=True)
class Request:
    """What is wanted; `platform` is the path of the project that holds windlass, `ref` a tag of it."""

    name: str
    kind: Kind = "model"
    platform: str = "platform/windlass"
    ref: str = "main"
    flavor: str = "cpu-1gb"
    image: str = "python3-11"


def checked(request: Request) -> Request:
    """The request with the name that windlass gives the project; WindlassError where something cannot be."""
    try:
        name = project_name(request.name)
    except ValueError as error:
        raise WindlassError(f"{error}; take another NAME") from error
    for option, value in (("--platform", request.platform), ("--ref", request.ref)):
        if not _REFERENCE.fullmatch(value) or ".." in value or "//" in value or value.endswith(("/", ".lock", ".git")):
            raise WindlassError(f"{option} {value!r} is not a name that GitLab has; take letters, digits and - _ . /")
    if "/" not in request.platform:
        raise WindlassError(f"--platform {request.platform!r} is not the path of a project; write group/name")
    for option, value in (("--flavor", request.flavor), ("--image", request.image)):
        if not value.strip() or not value.isprintable():
            raise WindlassError(f"{option} {value!r} is no name of environments/*.yml")
    return Request(name, request.kind, request.platform, request.ref, request.flavor, request.image)


def files(request: Request) -> dict[str, str]:
    """Each file of the repository by its path; `request` is `checked`."""
    words = {
        "name": request.name,
        "kind": request.kind,
        "platform": request.platform,
        "ref": request.ref,
        "flavor": request.flavor,
        "image": request.image,
    }
    return {
        path.format(name=request.name): _templates().get_template(f"{template}.j2").render(words)
        for path, template in FILES[request.kind]
    }


def yaml_text(value: str) -> str:
    """The value as YAML that is this text to every reader of YAML: `on`, `1.0` and `y` in quotes."""
    is_plain = _PLAIN.fullmatch(value) and yaml.safe_load(value) == value
    return value if is_plain else yaml.safe_dump(value, default_style='"', width=10_000).rstrip("\n")


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701 - the output is no HTML, and values are checked or go through `yaml`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = yaml_text
    return environment
