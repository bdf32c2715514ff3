"""The rule known-case, where the folders of a case say what is wrong."""

import shutil
from pathlib import Path

import pytest

from windlass.lint.check import check_project

from .example_project import PROJECT

WHOLE = "inputs: {images: train.py, model: {train: train.py, holdout: train.py}}\n"


@pytest.mark.parametrize(
    ("place", "files", "said"),
    [
        ("scores/score/a", {}, ""),
        ("scores/transform.score/a", {}, ""),
        ("score/score/a", {}, "there is no pipeline 'score'; did you mean 'scores'?"),
        ("scores/scor/a", {}, "pipeline 'scores' has no task 'scor'; did you mean 'score'?"),
        ("scores/deliver/a", {}, "task 'load.deliver' is no job, and only jobs have contract tests"),
        ("scores/images/a", {}, "'images' may be extract.images or load.images; call the folder by the whole name"),
        ("scores/score/a", {"inputs/image.csv": "x"}, "'inputs/image.csv' is for no input of the task; did you mean"),
        (
            "scores/score/a",
            {"inputs/images.csv": "x", "inputs/images.tsv": "x"},
            "input 'images' has two files: 'inputs/images.csv' and 'inputs/images.tsv'; keep one",
        ),
        (
            "scores/score/a",
            {"expected/score.csv": "x"},
            "'expected/score.csv' is called like no output's file; did you",
        ),
        ("scores/score/a", {"expected/scores.csv": "x"}, ""),
        (
            "scores/score/a",
            {"case.yml": f"{WHOLE}fails: {{exit_code: 1}}\n", "expected/scores.csv": "x"},
            "a job that does not end well passes nothing on; empty expected/",
        ),
        (
            "scores/score/a",
            {"case.yml": WHOLE.replace("model: {", "model: {x: train.py, ")},
            "the model has no data 'x'",
        ),
        (
            "scores/score/a",
            {"case.yml": WHOLE.replace("images: train.py", "images: ../x")},
            "'../x' is not a path inside",
        ),
    ],
)
def test_a_case_that_is_astray_is_told(tmp_path: Path, place: str, files: dict[str, str], said: str) -> None:
    project = shutil.copytree(PROJECT, tmp_path / "project")
    pipeline = project / "pipelines/scores.yml"
    other = "    images: {operator_type: s3_to_file, key: b.csv, outputs: {more: b.csv}}\n"
    pipeline.write_text(f"{pipeline.read_text()}{other if 'images/' in place else ''}")
    for path, text in {"case.yml": WHOLE, **files}.items():
        target = project / "tests/jobs" / place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    found = [str(problem) for problem in check_project(project, None).problems if problem.path.startswith("tests/")]
    assert (said == "" and found == []) or (len(found) == 1 and said in found[0] and "[known-case]" in found[0]), found
