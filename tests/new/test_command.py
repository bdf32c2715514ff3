"""`windlass new` makes a repository with which every other command works at once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.fakes.memory_store import MemoryStore
from windlass.cli import new
from windlass.cli.main import windlass
from windlass.spec.errors import WindlassError

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ["--environments", str(ROOT / "environments")]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith(("CI_", "WINDLASS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str, obj: Any = None, text: str | None = None) -> Result:
    return CliRunner().invoke(windlass, list(arguments), obj=obj, input=text, catch_exceptions=False)


def test_a_new_model_is_checked_tested_trained_and_run_at_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("new", "house-prices", "--ref", "v1.0.0").exit_code == 0
    folder = here / "house-prices"
    monkeypatch.chdir(folder)
    assert call("lint", *ENVIRONMENTS).output == "3 files, no problems\n"
    tested = call("test", *ENVIRONMENTS, "--json")
    assert tested.exit_code == 0, tested.output
    store = MemoryStore()
    trained = [
        call("train", *ENVIRONMENTS, "--project", "house_prices", "--json", obj=lambda name: store) for _ in "12"
    ]
    assert [one.exit_code for one in trained] == [0, 0], trained[0].output
    outcomes = [json.loads(one.stdout)[0] for one in trained]
    assert [one["trained"] for one in outcomes] == [True, False]
    assert outcomes[0]["metrics"]["mean_error"] < 20
    (folder / "out").mkdir()
    python = [sys.executable, "train.py", "--train", "data/train.csv", "--holdout", "data/holdout.csv"]
    subprocess.run([*python, "--model", "out/line.json", "--metrics", "out/metrics.json"], check=True)
    for name in ("score.py", "table.py"):
        (folder / "out" / name).write_bytes((folder / name).read_bytes())
    inputs = ["--input", "rows=data/batch.csv", "--input", "model=out", "--date", "2026-02-01", "--out", "run"]
    ran = call("run", "house_prices", *inputs, *ENVIRONMENTS)
    assert ran.exit_code == 0, ran.output
    scores = (folder / "run/delivered/house_prices/2026-02-01/scores.csv").read_text()
    assert scores.splitlines()[0] == "id,price"
    assert len(scores.splitlines()) == 4


def test_new_pipelines_are_checked_tested_and_run_at_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("new", "exports", "--kind", "pipelines", "--path", "code/exports").exit_code == 0
    monkeypatch.chdir(here / "code/exports")
    assert call("lint", *ENVIRONMENTS).output == "2 files, no problems\n"
    assert call("test", *ENVIRONMENTS).exit_code == 0
    ran = call("run", "exports", "--input", "rows=data/batch.csv", "--date", "2026-02-01", "--out", "run")
    assert ran.exit_code == 0, ran.output
    assert (
        Path("run/delivered/exports/2026-02-01/ordered.csv").read_text()
        == "id,size\nflat-1,30\nflat-2,64.5\nflat-3,99\n"
    )
    assert call("train", *ENVIRONMENTS).exit_code == 0


def test_the_commands_that_follow_are_said_and_work(here: Path) -> None:
    said = call("new", "digits", "--ref", "v1.4.0").stdout
    steps = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert steps[:3] == ["cd digits", "git init --initial-branch=main", "git add --all"]
    script = "\n".join(steps)
    assert "windlass rehearse" not in script, "the local stack has no tag of the platform"
    assert "windlass rehearse" in call("new", "other", "--ref", "main").stdout
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    who = {f"GIT_{who}_{what}": "x@y.z" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["sh", "-euc", script], env={**os.environ, **who, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    clean = subprocess.run(["git", "status", "--porcelain"], cwd=here / "digits", capture_output=True, text=True)
    assert clean.stdout == ""


def test_a_machine_is_told_the_files_and_the_next_commands(here: Path) -> None:
    (here / "digits").mkdir()
    (here / "digits" / "README.md").write_text("mine")
    (here / "digits" / ".git").mkdir()
    told = json.loads(call("new", "digits", "--force", "--json").stdout)
    assert told["folder"] == str(here / "digits")
    assert told["kept"] == ["README.md"]
    assert "models/digits.yml" in told["files"]
    assert "README.md" not in told["files"]
    assert told["next"][0] == "cd digits"
    assert not any(step.startswith("git init") for step in told["next"])
    assert (here / "digits" / "README.md").read_text() == "mine"


def test_a_folder_with_something_in_it_is_refused_without_force(here: Path) -> None:
    (here / "digits").mkdir()
    (here / "digits" / "notes.txt").write_text("mine")
    with pytest.raises(WindlassError, match=r"digits' is not empty: it holds notes\.txt"):
        call("new", "digits")


@pytest.mark.parametrize("kind", ["model", "pipelines"])
def test_a_second_time_it_is_refused_and_with_force_nothing_is_left_to_make(here: Path, kind: str) -> None:
    assert call("new", "digits", "--kind", kind).exit_code == 0
    (here / "digits/README.md").write_text("mine")
    before = {path: (path.read_bytes() if path.is_file() else b"") for path in here.rglob("*")}
    with pytest.raises(WindlassError, match="is not empty"):
        call("new", "digits", "--kind", kind)
    again = call("new", "digits", "--kind", kind, "--force")
    assert (again.exit_code, "made nothing: all " in again.stdout, "next:" in again.stdout) == (0, True, False)
    assert {path: (path.read_bytes() if path.is_file() else b"") for path in here.rglob("*")} == before


@pytest.mark.parametrize("answered", ["", "digits\n", "digits\nmodel\ndata/tools\n"])
def test_who_ends_the_questions_gets_nothing_made(here: Path, answered: str) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [str(Path(sys.executable).with_name("windlass")), "new"]
    asked = subprocess.Popen(command, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(follower)
    os.write(leader, answered.encode() + b"\x04")  # Ctrl-D; a signal may come just before the read, and is lost there
    _, said = asked.communicate(timeout=60)
    os.close(leader)
    assert (asked.returncode, b"interrupted" in said) == (130, True), said
    assert list(here.iterdir()) == []


def test_the_tag_of_this_version_is_included_unless_another_is_named(here: Path) -> None:
    call("new", "digits")
    assert f"ref: {new.DEFAULT_REF}\n" in (here / "digits/.gitlab-ci.yml").read_text()


def test_a_name_is_needed_where_nobody_can_be_asked() -> None:
    done = call("new")
    assert done.exit_code == 2
    assert "Missing argument 'NAME'" in done.stderr


def test_on_a_terminal_what_is_missing_is_asked_for(here: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [str(Path(sys.executable).with_name("windlass")), "new", "--platform", "data/tools"]
    asked = subprocess.Popen(command, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(follower)
    os.write(leader, b"digits\npipelines\nv7\n")
    out, err = asked.communicate(timeout=60)
    os.close(leader)
    assert asked.returncode == 0, err
    assert "made 9 files in digits" in out
    text = (here / "digits/.gitlab-ci.yml").read_text()
    assert "project: data/tools\n    ref: v7\n" in text
    assert not (here / "digits/models").exists()


@pytest.mark.parametrize(
    "name",
    [
        "json",
        "Über",
        "2fast",
        "a b",
        "..",
        "../a",
        "/a",
        "~",
        "a\nb",
        "a\x1b[31m",
        "a\x00",
        "{name}",
        "a" * 300,
    ],
)
def test_a_name_that_no_project_can_have_is_refused_and_nothing_is_made(here: Path, name: str) -> None:
    with pytest.raises(WindlassError, match="take another NAME"):
        call("new", name)
    assert list(here.iterdir()) == []
