"""Generated pipelines of every shape: what they render to, in which order, and that lint says when it cannot be."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import examples
from windlass.catalog.operator import Catalog
from windlass.catalog.read import read_catalog
from windlass.lint.check import Report, check_project
from windlass.render.dag import render_dag
from windlass.render.project import render_project
from windlass.render.surroundings import Surroundings
from windlass.spec.document import parse_document
from windlass.spec.pipeline import read_pipeline

from .loaded import load_in_airflow
from .module_reading import edges, meant, of_the_language, tasks_of
from .test_golden import ALLOWED
from .whole_pipelines import OWN, as_yaml, drawn, pipelines, write_project

MANY = 30
Wholes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("catalog")
    (folder / "operators").mkdir()
    (folder / "operators/keep.py").write_text(OWN)
    return read_catalog(folder, {"s3_to_file"})


def source_of(whole: dict[str, Any], catalog: Catalog) -> str:
    document = parse_document("pipelines/x.yml", as_yaml(whole).encode())
    pipeline = read_pipeline(document)
    assert pipeline is not None, document.problems
    return render_dag(pipeline, "pipelines/x.yml", Surroundings("digits", catalog))


def named(wholes: list[dict[str, Any]]) -> Wholes:
    return {f"x{i}": {**whole, "dag": {**whole.get("dag", {}), "name": f"x{i}"}} for i, whole in enumerate(wholes)}


def has_circle(follows: dict[str, set[str]]) -> bool:
    left = dict(follows)
    while ready := [task for task, above in left.items() if not above & left.keys()]:
        for task in ready:
            del left[task]
    return bool(left)


@examples(25)
@given(pipelines())
def test_a_module_is_imports_assignments_with_blocks_calls_and_shifts_in_the_meant_order(
    catalog: Catalog, whole: dict[str, Any]
) -> None:
    follows = meant(whole)
    if has_circle(follows):
        return  # lint refuses it; see below
    source = source_of(whole, catalog)
    compile(source, "x.py", "exec")
    assert source == source_of(whole, catalog)
    assert {type(node).__name__ for node in ast.walk(ast.parse(source)) if not isinstance(node, ALLOWED)} == set()
    assert of_the_language(edges(source)) == follows


@pytest.fixture(scope="module")
def generated() -> Wholes:
    return named(drawn(pipelines(), MANY))


@pytest.fixture(scope="module")
def checked(generated: Wholes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    folder = tmp_path_factory.mktemp("generated")
    write_project(folder, generated)
    return folder, check_project(folder, None)


@pytest.fixture(scope="module")
def rendered(checked: tuple[Path, Report]) -> dict[str, bytes]:
    folder, report = checked
    wrong = {problem.path for problem in report.problems}
    right = {path: pipeline for path, pipeline in report.pipelines.items() if path not in wrong}
    return render_project(folder, "digits", right, report.catalog, {}).files


def follows_a_setup_by_its_own_rule(whole: dict[str, Any]) -> bool:
    tasks = tasks_of(whole)
    setups = {name for name, task in tasks.items() if task.get("setup")}
    return any("trigger_rule" in tasks[name] and above & setups for name, above in meant(whole).items())


def test_lint_finds_what_airflow_would_not_load_and_nothing_else(
    generated: Wholes, checked: tuple[Path, Report]
) -> None:
    found: dict[str, set[str]] = {}
    for problem in checked[1].problems:
        found.setdefault(problem.rule, set()).add(Path(problem.path).stem)
    assert found.get("no-cycle", set()) == {name for name, whole in generated.items() if has_circle(meant(whole))}
    assert found.get("after-setup", set()) == {
        name for name, whole in generated.items() if follows_a_setup_by_its_own_rule(whole)
    }
    assert found.keys() <= {"no-cycle", "after-setup"}, checked[1].problems
    assert len(set().union(*found.values())) < len(generated) / 2


def test_ruff_has_nothing_to_say_about_any_module(rendered: dict[str, bytes], tmp_path: Path) -> None:
    for path, content in rendered.items():
        if path.startswith("dags/"):
            (tmp_path / Path(path).name).write_bytes(content)
    for arguments in (["format", "--check", "--diff"], ["check", "--select", "E4,E7,E9,F,I"]):
        arguments = [*arguments, "--line-length", "110"]
        command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--no-cache", tmp_path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


RENDER_AGAIN = """
import sys
from pathlib import Path
from windlass.lint.check import check_project
from windlass.render.project import render_project

folder, paths = Path(sys.argv[1]), sys.argv[2].split()
report = check_project(folder, None)
files = render_project(folder, "digits", {path: report.pipelines[path] for path in paths}, report.catalog, {}).files
for path, content in files.items():
    target = Path(sys.argv[3], path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
"""


def test_another_process_with_another_hash_seed_renders_the_same_bytes(
    checked: tuple[Path, Report], rendered: dict[str, bytes], tmp_path: Path
) -> None:
    names = [f"pipelines/{Path(path).stem}.yml" for path in rendered if path.startswith("dags/")]
    program = [sys.executable, "-c", RENDER_AGAIN, checked[0], " ".join(names), tmp_path]
    subprocess.run(program, env={**os.environ, "PYTHONHASHSEED": "4242"}, check=True)
    again = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert again == rendered


@st.composite
def nearly_right(draw: Any) -> dict[str, Any]:
    """A pipeline of which one thing was taken away, put elsewhere or made into something else."""
    whole: dict[str, Any] = deepcopy(draw(pipelines()))
    places = list(_places(whole, ()))
    place, other = draw(st.sampled_from(places)), draw(st.sampled_from(places))
    act: Callable[[dict[str, Any], Any, Any], None] = draw(
        st.sampled_from([_taken_away, _replaced, _renamed, _strange])
    )
    act(whole, place, other)
    return whole


def _places(value: Any, place: tuple[Any, ...]) -> Any:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*place, key)
        yield from _places(item, (*place, key))


def _at(whole: Any, place: tuple[Any, ...]) -> Any:
    for part in place:
        whole = whole[part]
    return whole


def _taken_away(whole: dict[str, Any], place: Any, other: Any) -> None:
    del _at(whole, place[:-1])[place[-1]]


def _replaced(whole: dict[str, Any], place: Any, other: Any) -> None:
    _at(whole, place[:-1])[place[-1]] = deepcopy(_at(whole, other))


def _renamed(whole: dict[str, Any], place: Any, other: Any) -> None:
    holder = _at(whole, place[:-1])
    if isinstance(holder, dict):
        holder[str(other[-1])] = holder.pop(place[-1])


def _strange(whole: dict[str, Any], place: Any, other: Any) -> None:
    _at(whole, place[:-1])[place[-1]] = [None, "class", {"a, b": 1}][len(place) % 3]


def test_what_lint_finds_nothing_wrong_with_can_be_rendered(tmp_path: Path) -> None:
    drafts = [whole for whole in drawn(nearly_right(), MANY) if isinstance(whole.get("dag", {}), dict)]
    right = wrong = 0
    for start in range(0, len(drafts), MANY):  # of very many problems lint shows the first ones
        folder = tmp_path / str(start)
        write_project(folder, named(drafts[start : start + MANY]))
        report = check_project(folder, None)
        found = {problem.path for problem in report.problems}
        for path in {path for path in report.files if path.startswith("pipelines/")} - found:
            right += 1
            said = (folder / path).read_text()
            try:
                source = render_dag(report.pipelines[path], path, Surroundings("digits", report.catalog))
                tree = compile(source, path, "exec", ast.PyCF_ONLY_AST)
            except Exception as error:
                raise AssertionError(said) from error
            assert {type(node).__name__ for node in ast.walk(tree) if not isinstance(node, ALLOWED)} == set(), said
        wrong += len(found)
    assert right and wrong


@pytest.mark.airflow
def test_airflow_sees_the_meant_order_of_every_pipeline(
    generated: Wholes, rendered: dict[str, bytes], tmp_path: Path
) -> None:
    seen = load_in_airflow(rendered, tmp_path)
    names = {Path(path).stem for path in rendered if path.startswith("dags/")}
    assert seen["errors"] == {} and seen["stable"] and set(seen["dags"]) == names
    for name in names:
        assert of_the_language({k: set(v) for k, v in seen["dags"][name]["upstream"].items()}) == meant(generated[name])
