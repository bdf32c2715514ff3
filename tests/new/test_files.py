"""A new repository has the same bytes each time, and is one that windlass itself finds nothing wrong with."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from windlass.adapters.download import Downloads
from windlass.doctor.ci_file import Include, read_ci_file
from windlass.lint.report import check_with_environments
from windlass.scaffold import files as scaffold
from windlass.scaffold.files import FILES, KINDS, Kind, Request, checked, files, yaml_text
from windlass.scaffold.place import place
from windlass.spec.errors import WindlassError
from windlass.training.models import load_models
from windlass.training.versions import expected_version

ROOT = Path(__file__).parents[2]
NAMES = ["digits", "on", "y", "null", "true", "e1", "a" * 63]


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_repository_has_no_problem_under_any_name(kind: Kind, tmp_path: Path) -> None:
    for name in NAMES:
        folder = tmp_path / name
        place(files(checked(Request(name, kind))), folder)
        elsewhere, report = check_with_environments(folder, str(ROOT / "environments"))
        assert [*elsewhere, *report.problems] == []
        assert [pipeline.dag.name for pipeline in report.pipelines.values()] == [name]
        assert list(report.models) == ([name] if kind == "model" else [])
        assert len(report.cases) == 1


def test_it_has_no_problem_where_no_environments_are_known(tmp_path: Path) -> None:
    place(files(checked(Request("digits"))), tmp_path / "digits")
    elsewhere, report = check_with_environments(tmp_path / "digits", None)
    assert [*elsewhere, *report.problems] == []


def test_the_same_request_gives_the_same_bytes_in_a_new_process() -> None:
    script = "from windlass.scaffold.files import *; print(sorted(files(checked(Request('digits'))).items()))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {(str(sorted(files(checked(Request("digits"))).items())) + "\n").encode()}


def test_the_model_needs_nothing_but_python_and_has_the_same_version_under_every_platform(tmp_path: Path) -> None:
    versions = set()
    for number, ref in enumerate(("main", "v2.0.0")):
        folder = tmp_path / str(number)
        place(files(checked(Request("digits", ref=ref))), folder)
        model = load_models(folder)["digits"]
        versions.add(expected_version(folder, "digits", model, Downloads().digest))
    assert len(versions) == 1


def test_every_template_is_used_and_every_file_ends_with_one_line_break() -> None:
    used = {template for kind in KINDS for _, template in FILES[kind]}
    folder = Path(scaffold.__file__).parent / "templates"
    assert used == {path.relative_to(folder).as_posix().removesuffix(".j2") for path in folder.rglob("*.j2")}
    for kind in KINDS:
        for path, text in files(checked(Request("digits", kind))).items():
            assert text.endswith("\n"), path
            assert not text.endswith("\n\n"), path
            assert "\r" not in text
            assert "{{" not in text, path


def test_its_python_is_as_the_linter_and_the_formatter_want_it(tmp_path: Path) -> None:
    place(files(checked(Request("digits"))), tmp_path / "digits")
    ruff = Path(sys.executable).with_name("ruff")
    options = ["--no-cache", "--isolated", "--line-length=120"]
    for command in (["check", "--select=B,E,F,I,UP,SIM,RET,PTH"], ["format", "--check"]):
        done = subprocess.run([ruff, *command, *options, "digits"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("ref", ["v1.4.0", "main", "1.0", "1e5", "0123456789" * 4, "on", "release/2"])
def test_the_ci_file_includes_the_platform_at_the_tag_that_was_asked_for(ref: str) -> None:
    text = files(checked(Request("house-prices", platform="data/tools/windlass", ref=ref)))[".gitlab-ci.yml"]
    assert yaml.safe_load(text) == {
        "include": [
            {
                "project": "data/tools/windlass",
                "ref": ref,
                "file": "ci/model.yml",
                "inputs": {"project": "house_prices", "platform": "data/tools/windlass", "platform_ref": ref},
            }
        ]
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ref", ["v1.4.0", "release/2"])
def test_the_line_that_is_commented_out_includes_the_same_as_a_component(kind: Kind, ref: str) -> None:
    text = files(checked(Request("digits", kind, "data/tools/windlass", ref)))[".gitlab-ci.yml"]
    lines = text.splitlines()
    assert lines[4].startswith("  # - component: ")
    component = read_ci_file("\n".join([lines[0], lines[4].replace("# - ", "- ", 1), *lines[5:]]))
    given = {"project": "digits", "platform": "data/tools/windlass", "platform_ref": ref}
    assert component.includes == (Include("data/tools/windlass", ref, "templates/model.yml", given),)
    header = yaml.safe_load((ROOT / "templates/model.yml").read_text().partition("\n---\n")[0])
    assert set(given) <= set(header["spec"]["inputs"])


def test_the_inputs_that_it_gives_are_inputs_of_the_file_that_it_includes() -> None:
    header = yaml.safe_load((ROOT / "ci/model.yml").read_text().partition("\n---\n")[0])
    given = yaml.safe_load(files(checked(Request("digits")))[".gitlab-ci.yml"])["include"][0]["inputs"]
    assert set(given) <= set(header["spec"]["inputs"])


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("json"), "'json'"),
        (Request("2fast"), "'2fast' cannot be used as a name"),
        (Request("../evil"), "cannot be used as a name"),
        (Request(""), "cannot be used as a name"),
        (Request("a" * 64), "cannot be used as a name"),
        (Request("digits", platform="windlass"), "--platform 'windlass' is not the path of a project"),
        (Request("digits", platform="a/b\nc"), "--platform"),
        (Request("digits", platform="a//b"), "--platform"),
        (Request("digits", ref="v1\n"), "--ref 'v1\\n'"),
        (Request("digits", ref="-x"), "--ref '-x'"),
        (Request("digits", ref="a..b"), "--ref 'a..b'"),
        (Request("digits", flavor="a\nb"), "--flavor"),
        (Request("digits", image=" "), "--image"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_option(request_: Request, said: str) -> None:
    with pytest.raises(WindlassError) as stop:
        checked(request_)
    assert said in str(stop.value)


def test_text_is_the_same_text_to_every_reader_of_yaml() -> None:
    letters = ["a", "on", "No", "~", "1", "1.0", "0x1", "a b", "a: b", "#", "'", '"', "v1", "a/b", "=", "é", "-", "?"]
    for words in itertools.product(letters, repeat=2):
        value = "".join(words)
        assert yaml.safe_load(yaml_text(value)) == value
        assert yaml.safe_load(f"a: [{yaml_text(value)}]") == {"a": [value]}
