"""What makes a version, and what does not."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.projects import Project, make_model, make_project
from windlass.spec.errors import WindlassError
from windlass.spec.model import Model
from windlass.training.versions import expected_version, version_inputs


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "repository")


def version(project: Project, model: Model) -> str:
    return expected_version(project.folder, "digits", model, project.source.digest)


def job(**changes: str) -> dict[str, Any]:
    return make_model().train.model_dump() | changes


def test_the_inputs_say_what_a_version_is_made_of(project: Project) -> None:
    inputs = version_inputs(project.folder, "digits", make_model(), {"train": "d" * 64})
    assert sorted(inputs["code"]) == ["accuracy.txt", "score.py", "src/train.py"]
    assert {key: inputs[key] for key in inputs if key != "code"} == {
        "data": {"train": "d" * 64},
        "parameters": {"factor": 2},
        "image": "python3-11",
        "script": "python src/train.py {train} {factor} {model} {metrics}",
        "outputs": {"model": "model.txt", "metrics": "metrics.json"},
        "files": ["score.py"],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"factor": 3}},
        {"train": job(docker_image="python3-12")},
        {"train": job(execution_script="python src/train.py {train} 1 {model} {metrics}")},
        {"outputs": {"model": "other.txt", "metrics": "metrics.json"}},
        {"files": ["score.py", "accuracy.txt"]},
        {"code": ["src", "accuracy.txt", "secrets.txt"]},
    ],
)
def test_what_the_job_sees_makes_another_version(project: Project, changes: dict[str, Any]) -> None:
    assert version(project, make_model(**changes)) != version(project, make_model())


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "better words"},
        {"gates": {}},
        {"train": job(resource_flavor="cpu-16gb")},
        {"code": ["accuracy.txt", "src/"]},
        {"tests": "python -m pytest"},
    ],
)
def test_what_the_job_does_not_see_makes_the_same_version(project: Project, changes: dict[str, Any]) -> None:
    assert version(project, make_model(**changes)) == version(project, make_model())


def test_changed_code_or_data_make_another_version_and_litter_does_not(project: Project) -> None:
    first = version(project, make_model())
    project.write("src/__pycache__/train.pyc", "x")
    project.write("src/.train.py.swp", "x")
    project.write("secrets.txt", "changed")
    assert version(project, make_model()) == first
    project.write("src/new.py", "")
    second = version(project, make_model())
    project.source.objects["s3://data/train.csv"] = b"other rows\n"
    assert len({first, second, version(project, make_model())}) == 3


def test_data_may_be_a_file_of_the_repository(project: Project) -> None:
    model = make_model(data={"train": "data/train.csv"})
    project.write("data/train.csv", "a")
    first = version(project, model)
    project.write("data/train.csv", "b")
    assert version(project, model) != first


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"code": ["sorc"]}, "models/digits.yml: code: 'sorc': there is no such file"),
        ({"code": ["away"]}, "models/digits.yml: code: 'away': the file is a link that leads out of the project"),
        ({"code": ["linked"]}, "code: 'linked/inner.py': the file is a link that leads out of the project"),
        ({"code": ["around"]}, "code: 'around/src' is a link to a folder; put the folder itself here"),
        ({"code": ["empty"]}, "code: the folder 'empty' holds no files"),
        ({"files": ["src"]}, "models/digits.yml: files: 'src' is a folder; name each file"),
        ({"files": ["score.py", "other/score.py"]}, "a version would hold two files called 'score.py'"),
        ({"outputs": {"model": "score.py", "metrics": "m.json"}}, "two files called 'score.py'"),
        (
            {"data": {"train": "data/none.csv"}},
            "models/digits.yml: data: train: 'data/none.csv': there is no such file",
        ),
        ({"data": {"train": "src"}}, "data: train: 'src' is a folder; name one file"),
        ({"data": {"train": "https://x/y"}}, "'https://x/y' cannot be read; write s3://bucket/key or a path"),
        ({"data": {"train": "../x"}}, "data: train: '../x'"),
    ],
)
def test_files_that_do_not_fit_are_named(project: Project, changes: dict[str, Any], message: str) -> None:
    outside = project.folder.parent / "outside.py"
    outside.touch()
    project.write("other/score.py", "")
    for name in ("empty", "linked", "around"):
        (project.folder / name).mkdir()
    (project.folder / "away").symlink_to(outside)
    (project.folder / "linked" / "inner.py").symlink_to(outside)
    (project.folder / "around" / "src").symlink_to(project.folder / "src")
    with pytest.raises(WindlassError) as stop:
        version(project, make_model(**changes))
    assert message in str(stop.value)
