"""`windlass check`: the real Airflow loads hostile DAGs, and each is told at the line that a person wrote."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from windlass.cli.main import windlass

from .hostile import INITS, MODULES, write_project

pytestmark = pytest.mark.airflow

RUN = "import sys; from windlass.cli.main import main; sys.argv[0] = 'windlass'; main()"
SECRET = "AKIA-not-to-be-seen"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command says of the hostile project; its home has credentials and a server listens."""
    folder = tmp_path_factory.mktemp("hostile")
    home = folder / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        write_project(folder / "project", server.getsockname()[1], str(home))
        # what cannot be read as Python is for lint to say
        (folder / "project/operators/syntax.py").unlink()
        (folder / "project/pipelines/syntax.yml").unlink()
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", RUN, "check", "--json", "--timeout", "3", "--project", "hostile"],
            cwd=folder / "project",
            env={**os.environ, "HOME": str(home), "TMPDIR": str(folder), "AWS_SECRET_ACCESS_KEY": SECRET},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        seconds = time.monotonic() - begin
        with pytest.raises(BlockingIOError):
            server.accept()
    assert done.returncode == 1, done.stderr
    data = json.loads(done.stdout)
    by_pipeline: dict[str, list[str]] = {}
    for problem in data["problems"]:
        text = "{path}:{line} {message} [{rule}]".format(**problem)
        name = text.split("pipeline '")[1].split("'")[0] if "(pipeline '" in text else Path(problem["path"]).stem
        by_pipeline.setdefault(name, []).append(text)
    return {
        "of": by_pipeline,
        "slow": data["slow"],
        "text": done.stdout + done.stderr,
        "seconds": seconds,
        "folder": folder,
        **data,
    }


@pytest.mark.parametrize(
    ("name", "place", "words"),
    [
        ("ends_all", "pipelines/ends_all.yml:1", "ends the process while it is loaded with exit code 3"),
        ("leaves", "operators/leaves.py:8", "SystemExit: 4"),
        ("forks", "operators/forks.py:8", "starts a process while the DAG is loaded"),
        ("daemon", "pipelines/daemon.yml:1", "leaves processes running"),
        ("sleeps", "operators/sleeps.py:8", "does not come to an end"),
        ("busy", "operators/busy.py:", "does not come to an end"),
        ("deaf", "operators/deaf.py:10", "does not come to an end"),
        ("connects", "operators/connects.py:8", "uses the network while the DAG is loaded"),
        ("connects_quietly", "operators/connects_quietly.py:9", "uses the network while it is loaded"),
        ("reads_keys", "operators/reads_keys.py:8", "reads"),
        ("reads_linked_keys", "operators/reads_linked_keys.py:10", "reads"),
        ("writes", "operators/writes.py:6", "writes"),
        ("removes", "operators/removes.py:8", "changes"),
        ("says_much", "operators/says_much.py:6", "ValueError: xxx"),
        ("starts", "operators/starts.py:8", "starts a process"),
        ("eats", "operators/eats.py:6", "MemoryError"),
        ("imports", "operators/imports.py:6", "No module named 'no_such_thing_here'"),
        ("refuses", "operators/refuses.py:16", "ValueError: cannot be 7 (pipeline 'refuses', task 'second.bad')"),
        ("says_secret", "operators/says_secret.py:16", "ValueError: nothing"),
        ("tells_time", "pipelines/tells_time.yml:6", "task 'second.bad' is another one each time"),
        ("tells_day", "pipelines/tells_day.yml:6", "task 'second.bad' is another one each time"),
        ("tells_seed", "pipelines/tells_seed.yml:6", "task 'second.bad' is another one each time"),
        ("unknown_argument", "pipelines/unknown_argument.yml:7", "colour"),
    ],
)
def test_a_hostile_dag_is_told_at_the_line_that_a_person_wrote(
    checked: dict[str, Any], name: str, place: str, words: str
) -> None:
    (found,) = checked["of"].get(name, ["nothing"])
    assert found.startswith(place) and words in found, found


def test_garbage_on_its_streams_stops_nothing(checked: dict[str, Any]) -> None:
    assert {"prints", "fine", "slow", "writes_own"} & checked["of"].keys() == set()
    assert set(MODULES) | set(INITS) | {"unknown_argument"} >= checked["of"].keys()


def test_a_slow_import_is_a_warning(checked: dict[str, Any]) -> None:
    assert [Path(each["path"]).stem for each in checked["slow"]] == ["slow"]


def test_no_credential_of_the_user_is_seen_or_said(checked: dict[str, Any]) -> None:
    assert SECRET not in checked["text"]


def test_nothing_is_left_running_and_nothing_hangs(checked: dict[str, Any]) -> None:
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(checked["folder"]) not in running
    assert not list(checked["folder"].glob("windlass-check-*"))
    assert checked["seconds"] < 120  # four files that never end take 3 s each, in two processes


def test_the_hostile_are_kept_away_without_namespaces_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        write_project(tmp_path, server.getsockname()[1], "/nowhere")
        for path in (tmp_path / "pipelines").glob("*.yml"):
            if path.stem not in ("connects", "daemon", "sleeps"):
                path.unlink()
        (tmp_path / "operators/syntax.py").unlink()
        arguments = ["check", "--json", "--timeout", "2", "--project", "hostile"]
        result = CliRunner().invoke(windlass, arguments)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert result.exit_code == 1, result.output
    data = json.loads(result.stdout)
    assert data["isolation"] == "an audit hook"
    assert sorted(Path(each["path"]).stem for each in data["problems"]) == ["connects", "daemon", "sleeps"]


def started_with(text: str) -> list[int]:
    """The processes in whose command line the text is."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [int(path.parent.name)] if text.encode() in path.read_bytes() else []
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
def test_whatever_ends_the_command_ends_all_that_it_started(number: signal.Signals, tmp_path: Path) -> None:
    write_project(tmp_path, 9, "/nowhere")
    for path in (tmp_path / "pipelines").glob("*.yml"):
        if path.stem != "sleeps":
            path.unlink()
    (tmp_path / "operators/syntax.py").unlink()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, "check", "--project", "hostile"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not list(scratch.glob("*/first/out/0.stack")) and time.monotonic() < end:
        os.sched_yield()
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    if number == signal.SIGINT:
        assert (child.returncode, said.strip()) == (130, "error: interrupted")
    end = time.monotonic() + 20  # what is killed cannot wait for what it started
    while (list(scratch.iterdir()) or started_with(str(scratch))) and time.monotonic() < end:
        os.sched_yield()
    assert (list(scratch.iterdir()), started_with(str(scratch))) == ([], [])
