# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""`windlass plan --note` as a job of a merge request runs it: one note, and the plan whatever GitLab does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.in_memory import open_store, s3, store  # noqa: F401 - fixtures
from tests.delivery.test_commands import Run, commit, git, project, windlass  # noqa: F401 - fixtures
from tests.fakes.gitlab_server import GitlabServer
from tests.fakes.http_stub import http_stub
from windlass.adapters.gitlab.note import note_text

pytestmark = pytest.mark.stack


@pytest.fixture
def server(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitlabServer]:
    """The GitLab of a merge request's pipeline, with a token that may write notes."""
    server = GitlabServer()
    with http_stub(server.answer) as stub:
        variables = {"CI": "true", "CI_SERVER_URL": stub.url, "CI_PROJECT_ID": "42", "CI_JOB_TOKEN": "job"}
        variables |= {"CI_MERGE_REQUEST_IID": "7", "CI_PIPELINE_ID": "100", "CI_PROJECT_DIR": str(project)}
        variables |= {"CI_JOB_URL": "https://gitlab.example/g/p/-/jobs/1", "WINDLASS_GITLAB_TOKEN": "mine"}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield server


def test_the_plan_is_one_note_that_the_next_pipeline_writes_again(
    project: Path, windlass: Run, server: GitlabServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = windlass("plan", "--to", "dev", "--out", ".", "--note")
    assert code == 1, err
    assert "merge request !7 shows the plan" in err
    (note,) = server.notes
    link = "[the whole plan](https://gitlab.example/g/p/-/jobs/1/artifacts/file/plan.html)"
    text = f"{(project / 'plan.md').read_text()}\n{link}, of commit `{git('rev-parse', 'HEAD')[:8]}` "
    assert note["body"].startswith(note_text("plan:digits:dev", 100, text))
    assert "+ pipeline read_digits" in out
    (project / "train.csv").write_text("0.95\n")
    commit("two")
    monkeypatch.setenv("CI_PIPELINE_ID", "101")
    assert windlass("plan", "--to", "dev", "--note", "--json")[0] == 1
    assert [one["id"] for one in server.notes] == [1]
    assert git("rev-parse", "HEAD")[:8] in server.notes[0]["body"]
    assert windlass("plan", "--to", "stage", "--note")[0] == 1
    assert len(server.notes) == 2, "each environment has its own"
    monkeypatch.setenv("CI_PIPELINE_ID", "99")
    assert "shows the plan of a later pipeline" in windlass("plan", "--to", "dev", "--note")[2]


def test_without_a_token_or_a_merge_request_one_line_says_so(
    project: Path, windlass: Run, server: GitlabServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WINDLASS_GITLAB_TOKEN")
    code, _, err = windlass("plan", "--to", "dev", "--out", ".", "--note")
    assert (code, (project / "plan.html").exists()) == (1, True)
    (line,) = [line for line in err.splitlines() if "note" in line]
    assert line == (
        "no note in merge request !7: a job's token may not write one; "
        "set WINDLASS_GITLAB_TOKEN to a token with the scope api"
    )
    monkeypatch.delenv("CI_MERGE_REQUEST_IID")
    assert "no note: this is no pipeline of a merge request" in windlass("plan", "--to", "dev", "--note")[2]
    assert server.calls == []


def test_the_merge_request_of_a_fork_is_looked_for_where_it_is(
    project: Path, windlass: Run, server: GitlabServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_PROJECT_ID", "77")
    assert "GitLab project 77 refuses a note" in windlass("plan", "--to", "dev", "--note")[2]
    monkeypatch.setenv("CI_MERGE_REQUEST_PROJECT_ID", "42")
    assert windlass("plan", "--to", "dev", "--note")[0] == 1
    assert len(server.notes) == 1


@pytest.mark.parametrize(("status", "said"), [(401, "to this token"), (404, "refuses"), (200, "is not GitLab's")])
def test_a_gitlab_that_refuses_costs_the_note_and_not_the_plan(
    project: Path, windlass: Run, server: GitlabServer, status: int, said: str
) -> None:
    server.point, server.wrong = 0, (status, {"message": "no"})
    code, out, err = windlass("plan", "--to", "dev", "--note")
    assert (code, "+ pipeline read_digits" in out) == (1, True)
    assert f"warning: merge request !7 does not show this plan: GitLab project 42: {said}"[:60] in err
    assert said in err
    assert "mine" not in err
