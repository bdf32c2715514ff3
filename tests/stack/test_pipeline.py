"""What gitlab-ci-local prints becomes a result for every job, the ones that silently did not run included."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.spec.errors import WindlassError
from windlass.stack.pipeline import Job, Pipeline, _Mask, _Watch

from .test_stack import left_behind

PLANNED = [
    Job("digits:lint", "build", "", "on_success"),
    Job("digits:train", "build", "", "on_success"),
    Job("notify", "build", "", "on_failure"),
    Job("digits:promote:dev", "deploy", "dev", "on_success"),
    Job("digits:rollback:dev", "deploy", "dev", "manual"),
]


def results(lines: list[str], code: int) -> dict[str, str]:
    watch = _Watch(PLANNED)
    for line in lines:
        watch.see(line)
    return {job.name: job.result for job in watch.results(code)}


def test_jobs_pass_wait_for_a_person_or_are_not_needed() -> None:
    lines = []
    for name in ("digits:lint", "digits:train", "digits:promote:dev"):
        lines += [f"{name}         starting shell (build)", f"{name} > ok", f"{name}         finished in 1.2 s"]
    assert results(lines, 0) == {
        "digits:lint": "passed",
        "digits:train": "passed",
        "digits:promote:dev": "passed",
        "digits:rollback:dev": "manual",
    }


def test_what_comes_after_a_failure_is_skipped() -> None:
    lines = [
        "digits:lint         starting shell (build)",
        "digits:lint         finished in 88 ms  WARN 3 ",
        "digits:train        starting shell (build)",
        "digits:train        finished in 2 min  FAIL 1 ",
    ]
    found = results(lines, 1)
    assert found["digits:lint"] == "allowed to fail"
    assert found["digits:train"] == "failed"
    assert found["digits:promote:dev"] == "skipped"


def test_a_job_that_nothing_kept_from_running_and_that_did_not_is_told() -> None:
    lines = ["digits:lint    starting shell (build)", "digits:lint    finished in 1 ms"]
    assert results(lines, 0)["digits:promote:dev"] == "not run"


def test_a_job_that_began_and_never_ended_has_failed() -> None:
    assert results(["digits:lint    starting shell (build)"], 1)["digits:lint"] == "failed"


def test_what_a_job_prints_is_not_taken_for_its_end() -> None:
    lines = ["digits:lint    starting shell (build)", "digits:lint    > digits:lint finished in 1 ms"]
    assert results(lines, 1)["digits:lint"] == "failed"


def test_secrets_are_masked_longest_first() -> None:
    mask = _Mask(["secretsecret", "secretsecretlonger", "short"])
    assert mask("a secretsecretlonger b secretsecret c short") == "a [MASKED] b [MASKED] c short"


FAKE = """
case "$*" in *--list-csv-all*)
  echo "name;stage;when;allowFailure;environment;needs"
  test -e empty || echo "lint;build;on_success;false;;"
  exit 0;;
esac
echo "lint  starting shell (build)"
echo "lint  > $*"
sleep ${SLEEP:-0} &
wait
echo "lint  finished in 1 ms"
"""


def fake_pipeline(tmp_path: Path, script: str = FAKE) -> Pipeline:
    (tmp_path / "clone").mkdir()
    return Pipeline(
        clone=tmp_path / "clone",
        command=["bash", "-c", script, "gitlab-ci-local"],
        variables={"CI_COMMIT_TAG": "v1.0.0"},
        unset=("CI_COMMIT_BRANCH",),
        scoped={"CI_JOB_TOKEN": {"*": "very-secret-token"}},
    )


def test_variables_go_into_a_private_file_and_none_onto_the_command_line(tmp_path: Path) -> None:
    lines: list[str] = []
    jobs = fake_pipeline(tmp_path).run(lines.append)
    assert [job.result for job in jobs] == ["passed"]
    command_line = lines[1]
    assert "--unset-variable CI_COMMIT_BRANCH" in command_line
    assert "very-secret-token" not in command_line
    assert "v1.0.0" not in command_line
    written = tmp_path / "variables.json"
    assert written.stat().st_mode & 0o777 == 0o600
    assert json.loads(written.read_text()) == {
        "CI_JOB_TOKEN": {"type": "variable", "values": {"*": "very-secret-token"}},
        "CI_COMMIT_TAG": {"type": "variable", "values": {"*": "v1.0.0"}},
    }


def test_an_interrupted_pipeline_leaves_no_job_behind(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fake_pipeline(tmp_path, FAKE.replace("${SLEEP:-0}", "100")).run(interrupt)
    assert left_behind(tmp_path) == []


def test_a_rehearsal_that_is_killed_leaves_no_job_behind(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            lines = FAKE.replace("${SLEEP:-0}", "100")
            fake_pipeline(tmp_path, lines).run(lambda line: (tmp_path / "began").touch())
        os._exit(0)
    until(lambda: (tmp_path / "began").exists() and any("sleep" in line for line in left_behind(tmp_path)))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    until(lambda: left_behind(tmp_path) == [])


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_gitlab_ci_local_says_about_itself_is_left_out(tmp_path: Path) -> None:
    own = """parsing and downloads finished in 287 ms.
json schema validated in 726 ms
digits:train          artifacts from digitsOglint was empty
digits:train          imported artifacts in 53 ms

 PASS  digits:train
digits:promote:prod environment: { name: prod, url: http://127.0.0.1:27702 }
pipeline finished in 18 s"""
    kept = ["lint  > imported artifacts in 1 ms", "lint  > pipeline finished in 1 s", " FAIL  lint"]
    text = "\n".join([own, *kept])
    lines: list[str] = []
    fake_pipeline(tmp_path, f"{FAKE}cat <<'END'\n{text}\nEND\n").run(lines.append)
    assert lines[-3:] == kept
    assert not set(lines) & set(own.splitlines())


def test_an_event_without_jobs_is_told(tmp_path: Path) -> None:
    pipeline = fake_pipeline(tmp_path)
    (tmp_path / "clone/empty").touch()
    with pytest.raises(WindlassError, match="no job for this event"):
        pipeline.run(print)
