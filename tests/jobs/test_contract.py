"""Contract tests of jobs by `windlass test`: what passes, what does not and what is said of it."""

import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.spec.case import Case
from windlass.spec.document import parse_document
from windlass.spec.schema import read_noun

from .case_project import CaseProject
from .laptop import ENVIRONMENT

SCORES = "id,score\n1,7\n2,7\n"


@pytest.fixture
def project(tmp_path: Path) -> CaseProject:
    return CaseProject(tmp_path)


def test_a_case_passes_whose_outputs_are_as_expected(project: CaseProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.case("exact", expected__scores_DOT_csv=SCORES)
    project.case("whole", "expect: {scores: {rows: 2, columns: [id, score], unique: [id]}}", "transform.score")
    project.case("any", "expect: {scores: {rows: {at_least: 1}, columns: {score: {type: integer, at_most: 7}}}}")
    said = project.test(monkeypatch, "clients")
    assert (said.code, said.out) == (0, "3 cases: 3 passed, 0 failed\n"), said.err


@pytest.mark.parametrize(
    ("case", "expected", "problem"),
    [
        ("", "id,score\n1,7\n2,8\n", "output 'scores' (scores.csv), row 2: column 'score': expected '8', came '7'"),
        ("expect: {scores: {tolerance: 0.5}}", "id,score\n1,7\n2,8\n", "differ by 1, more than 0.5"),
        ("expect: {scores: {key: [id]}}", "id,score\n2,7\n1,8\n", "row 1 (id '1'): column 'score': expected '8'"),
        ("expect: {scores: {rows: 3}}", "", "output 'scores' (scores.csv): the number of rows is 2, less than 3"),
        ("expect: {scores: {columns: [id]}}", "", "expected the columns ['id'], came ['id', 'score']"),
        ("expect: {scores: {unique: [score]}}", "", "row 2 has the same score '7' as row 1"),
        ("expect: {scores: {columns: {score: {at_most: 6}}}}", "", "row 1: column 'score' is '7', more than 6"),
        ("fails: {exit_code: 3}", "", "the job was expected not to end well, and it did"),
        ("inputs: {modl: x}", "", "the task has no input 'modl'; did you mean 'model'? [known-case]"),
        ("params: {limit: many", "", "case.yml:"),
    ],
)
def test_a_case_that_does_not_pass_says_what_was_expected_and_what_came(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch, case: str, expected: str, problem: str
) -> None:
    project.case("one", case, expected__scores_DOT_csv=expected)
    said = project.test(monkeypatch, "--json")
    assert said.code == 1
    assert problem in said.problems()["one"][0], said.problems()
    assert f"error: clients/{'transform.'}score/one: " in said.err


def test_what_a_tolerance_a_key_or_no_order_allows_passes(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.case("near", "expect: {scores: {tolerance: 0.5}}", expected__scores_DOT_csv="id,score\n1,7.5\n2,6.5\n")
    project.case("keyed", "expect: {scores: {key: [id]}}", expected__scores_DOT_csv="id,score\n2,7\n1,7\n")
    project.case("loose", "expect: {scores: {ignore_order: true}}", expected__scores_DOT_csv="id,score\n2,7\n1,7\n")
    project.case("named", "expect: {scores: {equal: right.csv}}", right_DOT_csv=SCORES)
    assert project.test(monkeypatch, "--json").problems() == {"near": [], "keyed": [], "loose": [], "named": []}


@pytest.mark.parametrize(
    ("fails", "problem"),
    [
        ("{exit_code: 3, error: name is missing}", None),
        ("{error: ended with exit code 3}", None),
        ("{exit_code: 4}", "expected exit code 4, came: the script ended with exit code 3 after"),
        ("{error: nothing}", "expected 'nothing' in the reason or the last lines, came: the script ended with"),
    ],
)
def test_a_job_that_must_refuse_its_input_does_so_as_expected(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch, fails: str, problem: str | None
) -> None:
    project.case("wrong", f"fails: {fails}", inputs__clients_DOT_csv="id\n1\n")
    (found,) = project.test(monkeypatch, "--json").problems().values()
    assert (problem is None and found == []) or (problem and problem in found[0]), found


def test_the_checks_of_the_pipeline_hold_in_a_case_too(project: CaseProject, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.folder / "pipelines/clients.yml"
    path.write_text(path.read_text().replace("scores: scores.csv", "scores: {file: scores.csv, rows: {at_least: 5}}"))
    few = project.case("few")
    for arguments in (["--json"], ["--json", "--accept"]):
        assert project.test(monkeypatch, *arguments).problems() == {
            "few": ["output 'scores' (scores.csv): the number of rows is 2, less than 5"]
        }
    assert not (project.folder / few / "expected").exists()


def test_a_model_is_trained_once_from_small_files_and_the_repositorys_code_is_tested(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = project.folder / "trained"
    project.write("train.sh", f"echo x >> {count}; wc -l < $1 > $2; echo '{{}}' > $3\n")
    for name in ("one", "two"):
        path = project.case(
            name,
            "inputs: {model: {names: tests/data/names.csv}}",
            inputs__model__names_DOT_txt="",
            expected__scores_DOT_csv="id,score\n1,3\n2,3\n",
        )
        assert not (project.folder / path / "inputs/model").exists()
    project.case("old", inputs__model__score_DOT_sh="exit 1\n", expected__scores_DOT_csv=SCORES)
    assert project.test(monkeypatch, "--json", "--jobs", "3").problems() == {"old": [], "one": [], "two": []}
    assert count.read_text() == "x\n"


def test_a_training_that_fails_is_told_in_each_of_its_cases(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("train.sh", "echo too few; exit 1\n")
    for name in ("one", "two"):
        project.case(name, "inputs: {model: {names: tests/data/names.csv}}", inputs__model__names_DOT_txt="")
    for found in project.test(monkeypatch, "--json").problems().values():
        assert "model 'names' cannot be trained for the case: the script ended with exit code 1" in found[0]
        assert "too few" in found[0]


def test_params_date_and_item_reach_the_script(project: CaseProject, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = "$WINDLASS_ENVIRONMENT $WINDLASS_TASK ${AWS_SECRET_ACCESS_KEY:-none}"
    script = f"echo {{{{ ds }}}} {{{{ params.limit }}}} {variables} {{day}} > {{x}}"
    path = project.folder / "pipelines/clients.yml"
    whole = path.read_text().replace('"echo x > {x}"', json.dumps(script))
    path.write_text(whole.replace("outputs: {x: x.txt}", "outputs: {x: x.txt}, for_each: {as: day, in: [a b, c]}"))
    folder = "tests/jobs/clients/other"
    project.write(f"{folder}/usual/case.yml", "item: a b\n")
    project.write(f"{folder}/usual/expected/x.txt", "2026-01-01 3 local transform.other none a b\n")
    project.write(f"{folder}/given/case.yml", "item: c\nparams: {limit: 5}\ndate: 2026-02-03\n")
    project.write(f"{folder}/given/expected/x.txt", "2026-02-03 5 local transform.other none c\n")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert project.test(monkeypatch, "--json").problems() == {"given": [], "usual": []}


def test_a_case_that_expects_nothing_says_so(project: CaseProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.case("bare")
    project.case("full", "expect: {scores: {rows: 2}}")
    said = project.test(monkeypatch, "--jobs", "1")
    assert said.code == 0
    assert "passed clients/transform.score/bare" in said.err
    assert said.err.count("it expects nothing but a good end") == 1


def test_cases_are_chosen_by_name_and_jobs_without_one_are_listed(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.case("one", "description: The usual.")
    project.case("two")
    said = project.test(monkeypatch, "--list")
    assert said.out.splitlines() == [
        "clients/transform.score/one  The usual.",
        "clients/transform.score/two",
        "no case: clients/transform.other",
    ]
    for name in ("one", "score/one", "clients/score/o*", "transform.score/one", "tests/jobs/clients/score/one/"):
        assert [*project.test(monkeypatch, name, "--json").problems()] == ["one"], name
    said = project.test(monkeypatch, "tow")
    assert said.code == 2
    assert "there is no model 'tow' in models/ and no case of that name; did you mean 'two'?" in said.err


def test_junit_has_a_test_for_each_case_and_each_model(project: CaseProject, monkeypatch: pytest.MonkeyPatch) -> None:
    model = project.folder / "models/names.yml"
    model.write_text(model.read_text() + "tests: \"echo '<broken>'; exit 2\"\n")
    project.case("good", expected__scores_DOT_csv=SCORES)
    project.case("bad", expected__scores_DOT_csv="id,score\n1,&\x01\n")
    said = project.test(monkeypatch, "--junit", "out/report.xml")
    assert said.code == 1
    assert "error: model names: the test run ended with exit code 2" in said.err
    root = ElementTree.parse(project.folder / "out/report.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    found = {(one.get("classname"), one.get("name")): one.find("failure") for one in root.iter("testcase")}
    assert [key for key, failure in found.items() if failure is None] == [("clients.transform.score", "good")]
    failure = found["clients.transform.score", "bad"]
    assert failure is not None and "expected '&\\x01', came '7'" in str(failure.get("message"))
    assert "<broken>" in ElementTree.tostring(root, encoding="unicode", method="text")


def test_a_new_case_is_made_from_files_and_what_the_job_writes_is_accepted(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("bad.csv", "id,name\n5,\n")
    new = ("--new", "score", "--case", "empty_name", "--input", "clients=bad.csv")
    said = project.test(monkeypatch, *new)
    assert (said.code, "inputs are missing; add --input model=FOLDER, or" in said.err) == (2, True)
    assert not (project.folder / "tests/jobs").exists()
    said = project.test(monkeypatch, *new, "--input", "model.names=tests/data/names.csv")
    path = "tests/jobs/clients/transform.score/empty_name"
    assert said.out == f"made {path}\n"
    assert (project.folder / path / "inputs/clients.csv").read_text() == "id,name\n5,\n"
    assert (project.folder / path / "case.yml").read_text() == "inputs:\n  model:\n    names: tests/data/names.csv\n"
    assert project.test(monkeypatch, "empty_name", "--accept").code == 0
    assert (project.folder / path / "expected/scores.csv").read_text() == "id,score\n5,3\n"
    project.write("score.sh", "echo id,score; echo 5,4\n")
    assert project.test(monkeypatch, "empty_name").code == 1
    assert project.test(monkeypatch, "empty_name", "--accept").code == 0
    assert (project.folder / path / "expected/scores.csv").read_text() == "id,score\n5,4\n"
    again = project.test(monkeypatch, *new, "--input", "model.names=tests/data/names.csv")
    assert again.code == 2 and f"{path} is there already" in again.err


def test_accepting_keeps_to_what_case_yml_says_and_takes_nothing_from_a_job_that_failed(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = project.case("checked", "expect: {scores: {rows: 2}}")
    wrong = project.case("wrong", inputs__clients_DOT_csv="id\n")
    assert project.test(monkeypatch, "--accept").code == 1
    assert not (project.folder / checked / "expected").exists()
    assert not (project.folder / wrong / "expected").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--new", "scor", "--case", "a"], "no pipeline has a task 'scor'; did you mean 'score'?"),
        (["--new", "client/score", "--case", "a"], "there is no pipeline 'client' here; did you mean 'clients'?"),
        (["--new", "clients/clients", "--case", "a"], "task 'extract.clients' is no job, and only jobs"),
        (["--new", "score", "--case", "../a"], "--case: '../a' cannot be used as a name"),
        (["--new", "score"], "--new needs --case NAME"),
        (["--new", "score", "--case", "a", "--input", "client=x"], "the task has no input 'client'; did you mean"),
        (["--new", "score", "--case", "a", "--input", "clients=x"], "there is no such file or folder"),
        (["--new", "score", "--case", "a", "--input", "clients.a=x"], "input 'clients' is no model"),
        (["--new", "score", "--case", "a", "--input", "clients"], "is not of the form port=path"),
        (["--case", "a"], "--case and --input belong to --new TASK"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    said = project.test(monkeypatch, *arguments)
    assert (said.code, message in said.err) == (2, True), said.err


def test_a_case_of_a_pipeline_that_is_broken_fails_with_its_first_problem(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.case("one")
    project.write("pipelines/clients.yml", "dag: {name: clients, retries: two}\ntasks: {}\n")
    (found,) = project.test(monkeypatch, "--json").problems().values()
    assert "pipelines/clients.yml:1:" in found[0]


def test_the_examples_of_the_page_are_cases() -> None:
    page = (Path(__file__).parents[2] / "docs/jobs.md").read_text(encoding="utf-8")
    section = page.partition("\n## Contract tests\n")[2].partition("\n## ")[0]
    texts = re.findall(r"```yaml\n(.*?)```", section, re.S)
    assert len(texts) == 2
    for text in texts:
        document = parse_document("case.yml", text.encode())
        assert read_noun(document, Case), document.problems


def test_on_a_terminal_a_bar_shows_how_many_cases_have_ended(project: CaseProject) -> None:
    project.case("one")
    project.case("two")
    command = [sys.executable, "-c", "from windlass.cli.main import main; main()", "test"]
    variables = {"PATH": os.environ["PATH"], "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}
    done = subprocess.run(command, cwd=project.folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2/2" in done.stderr and "2 cases: 2 passed, 0 failed" in done.stdout


def test_an_interrupt_ends_the_jobs_that_run(project: CaseProject) -> None:
    sign = project.folder / "sign"
    project.write("score.sh", f"#!/bin/sh\necho $$ > {sign}.new; mv {sign}.new {sign}; sleep 600\n")
    project.case("long")
    command = [sys.executable, "-c", "from windlass.cli.main import main; main()", "test"]
    with subprocess.Popen(
        command, cwd=project.folder, env={"PATH": os.environ["PATH"]}, stderr=subprocess.PIPE, text=True
    ) as process:
        while not sign.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err
    with pytest.raises(ProcessLookupError):
        os.kill(int(sign.read_text()), 0)


def make_pipe(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("path", "make", "problem"),
    [
        ("expected/scores.csv", make_pipe, "what is expected is no file"),
        ("expected/scores.csv", lambda path: path.mkdir(parents=True), "what is expected is no file"),
        ("inputs/clients.csv", make_pipe, "inputs/clients.csv is neither a file nor a folder"),
    ],
)
def test_what_is_no_file_ends_a_case_with_a_sentence(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch, path: str, make: Callable[[Path], None], problem: str
) -> None:
    make(project.folder / project.case("odd") / path)
    project.case("even", expected__scores_DOT_csv=SCORES)
    said = project.test(monkeypatch, "clients", "--json")
    problems = said.problems()
    assert problem in problems["odd"][0], said.err
    assert problems["even"] == []


def test_accepting_writes_nothing_outside_of_the_project(
    project: CaseProject, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "precious.csv"
    elsewhere.write_text("mine\n")
    case = project.folder / project.case("linked")
    (case / "expected").mkdir()
    (case / "expected" / "scores.csv").symlink_to(elsewhere)
    said = project.test(monkeypatch, "linked", "--accept", "--json")
    assert "is no file of the project, so nothing is written to it" in said.problems()["linked"][0]
    assert elsewhere.read_text() == "mine\n"


def test_a_parameter_of_another_type_is_refused(project: CaseProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.case("typed", "params: {limit: many}")
    problems = project.test(monkeypatch, "typed", "--json").problems()["typed"]
    assert problems == ["params of case.yml: limit: 'many' is not of the type integer"]


def test_with_env_a_job_has_the_memory_of_its_flavor(project: CaseProject, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = "flavors: {cpu-1gb: {cpus: 1, memory: 64Mi}}\nimages: {python3-11: 'python:3.11-slim'}\n"
    project.write("environments/dev.yml", ENVIRONMENT + rest)
    eats = f"{sys.executable} -c 'import time; held = bytes([1]) * 200_000_000; time.sleep(30)'"
    project.write("score.sh", f"#!/bin/sh\n{eats}\n")
    project.case("hungry")
    said = project.test(monkeypatch, "hungry", "--env", "dev", "--json")
    assert "needs more memory than the 64Mi of its flavor 'cpu-1gb'" in said.problems()["hungry"][0]
    assert "no limit of memory" not in said.err
    project.write("score.sh", "#!/bin/sh\necho id\n")
    assert "jobs have no limit of memory here; --env ENV" in project.test(monkeypatch, "hungry").err
