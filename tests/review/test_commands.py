# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""`windlass review` from a push to the end of its merge request, over HTTP and a store in memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.in_memory import open_store, s3, store  # noqa: F401 - fixtures
from tests.delivery.test_commands import Run, commit, deliver, project, windlass  # noqa: F401 - fixtures
from tests.fakes.airflow_server import AirflowServer
from tests.fakes.http_stub import Request, http_stub
from windlass.delivery.release.archive import read_archive
from windlass.spec.release import provenance_key, release_key
from windlass.spec.store import Store

pytestmark = pytest.mark.stack


@pytest.fixture
def airflow(project: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[AirflowServer]:
    """dev has an Airflow that keeps rows of DAGs that went."""
    monkeypatch.setenv("PASSWORD", "do not print me")
    server = AirflowServer(store, keeps_rows=True)
    with http_stub(server.answer) as stub:
        path = project / "environments/dev.yml"
        url = f"{stub.url}/{project.parent.name}-dev"
        account = f"airflow: {{url: '{url}', username: windlass, password: '${{PASSWORD}}'}}\n"
        path.write_text(path.read_text() + account + "verify: {timeout: 1 second}\n")
        commit("airflow")
        yield server


def review(windlass: Run, *arguments: str, code: int = 0) -> Any:
    ended, out, err = windlass("review", *arguments, "--json")
    assert ended == code, err
    return json.loads(out) if out else err


def live(windlass: Run) -> dict[str, Any]:
    code, out, err = windlass("status", "dev", "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)[0]["projects"]
    return found


def pushed(project: Path, windlass: Run, accuracy: str) -> str:
    """A commit of the merge request whose model is trained."""
    (project / "train.csv").write_text(f"{accuracy}\n")
    made = commit(accuracy)
    assert windlass("train")[0] == 0
    return made


def test_a_merge_request_is_reviewed_beside_the_real_project_until_it_is_closed(
    project: Path, windlass: Run, airflow: AirflowServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(windlass)
    real = live(windlass)["digits"]
    made = pushed(project, windlass, "0.95")
    monkeypatch.setenv("CI_PROJECT_URL", "https://gitlab.example/ocr/digits")
    up = review(windlass, "up", "--iid", "7", "--dotenv", "../review.env")
    assert (up["name"], up["changed"], up["verdict"]["result"]) == ("digits_mr7", True, "pass")
    assert up["url"].endswith("-dev/dags?tags=digits_mr7")
    assert (project.parent / "review.env").read_text() == f"WINDLASS_REVIEW_URL={up['url']}\n"
    now = live(windlass)
    assert now["digits"] == real, "the real project is untouched"
    assert (now["digits_mr7"]["commit"], now["digits_mr7"]["pipelines"]) == (made, ["read_digits_mr7"])
    assert now["digits_mr7"]["models"] != real["models"], "the models are those of the merge request"
    prefix, digest = f"{project.parent.name}-dev", now["digits_mr7"]["release"]
    record = json.loads(store.get(provenance_key(prefix, "digits_mr7", digest, made)).content)
    assert record["merge_request"] == {"iid": 7, "url": "https://gitlab.example/ocr/digits/-/merge_requests/7"}
    files = read_archive("digits_mr7", digest, store.get(release_key(prefix, "digits_mr7", digest)).content).files
    assert b"is_paused_upon_creation=True" in files["dags/read_digits_mr7.py"]
    assert b'"windlass-reviews/digits_mr7/digits.csv"' in files["dags/read_digits_mr7.py"]

    assert review(windlass, "up", "--iid", "7")["changed"] is False
    monkeypatch.setenv("CI_MERGE_REQUEST_IID", "7")
    again = pushed(project, windlass, "0.97")
    assert review(windlass, "up")["live"]["commit"] == again
    review(windlass, "up", "--iid", "8")
    code, out, err = windlass("review", "list")
    assert (code, [line.split()[:3] for line in out.splitlines()]) == (
        0,
        [["digits", "!7", again[:8]], ["digits", "!8", again[:8]]],
    ), err

    (project / "pipelines/read_digits.yml").unlink()  # a job that stops has no files of the branch
    (end,) = review(windlass, "down")
    assert (end["nothing_to_do"], end["airflow"]) == (False, {"gone": ["read_digits_mr7"], "left": {}})
    assert sorted(live(windlass)) == ["digits", "digits_mr8"]
    (end,) = review(windlass, "down")
    assert (end["nothing_to_do"], end["airflow"]) == (True, {"gone": [], "left": {}})
    code, out, err = windlass("history", "dev")
    assert (code, "remove" in out, "taken out" in out) == (0, True, True), err
    assert windlass("history", "dev", "--verify")[0] == 0


def test_a_review_is_promoted_nowhere_and_no_project_is_called_like_one(
    project: Path, windlass: Run, airflow: AirflowServer
) -> None:
    pushed(project, windlass, "0.95")
    review(windlass, "up", "--iid", "7")
    for command in (["promote", "--to", "stage"], ["promote", "--to", "dev"], ["release"], ["lint"]):
        code, _, err = windlass(*command, "--project", "digits_mr7")
        assert code != 0
        assert "names that end so are those of reviews" in err
    code, _, err = windlass("new", "digits_mr7")
    assert (code != 0, "those of reviews" in err) == (True, True)


def test_rows_of_a_dag_that_runs_stay_and_go_when_its_merge_request_is_closed(
    project: Path, windlass: Run, airflow: AirflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(project, windlass, "0.95")
    for iid in ("7", "8", "9"):
        review(windlass, "up", "--iid", iid)
    airflow.busy = {"read_digits_mr7"}
    (end,) = review(windlass, "down", "--iid", "7")
    assert list(end["airflow"]["left"]) == ["read_digits_mr7"]
    assert "are still running" in end["airflow"]["left"]["read_digits_mr7"]
    airflow.busy = set()

    def gitlab(request: Request) -> tuple[int, Any]:
        assert request.path.startswith("/api/v4/projects/1/merge_requests?"), request.path
        states = {7: "merged", 8: "opened", 9: "closed"}
        return 200, [{"iid": iid, "state": state, "id": iid} for iid, state in states.items()]

    with http_stub(gitlab) as stub:
        monkeypatch.setenv("WINDLASS_GITLAB_TOKEN", "t")
        monkeypatch.setenv("CI_SERVER_URL", stub.url)
        monkeypatch.setenv("CI_PROJECT_ID", "1")
        ends = review(windlass, "down", "--closed")
    assert [(end["iid"], end["nothing_to_do"]) for end in ends] == [(7, True), (9, False)]
    assert [end["airflow"]["gone"] for end in ends] == [["read_digits_mr7"], ["read_digits_mr9"]]
    assert sorted(live(windlass)) == ["digits_mr8"]


def test_nothing_is_taken_for_closed_when_gitlab_does_not_say_so(
    project: Path, windlass: Run, airflow: AirflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(project, windlass, "0.95")
    review(windlass, "up", "--iid", "7")
    assert "WINDLASS_GITLAB_TOKEN (read_api)" in review(windlass, "down", "--closed", code=2)
    with http_stub(lambda request: (403, {"message": "403 Forbidden"})) as stub:
        for name, value in (("CI_JOB_TOKEN", "t"), ("CI_SERVER_URL", stub.url), ("CI_PROJECT_ID", "1")):
            monkeypatch.setenv(name, value)
        assert "set WINDLASS_GITLAB_TOKEN" in review(windlass, "down", "--closed", code=3)
    with http_stub(lambda request: (200, [])) as stub:
        monkeypatch.setenv("CI_SERVER_URL", stub.url)
        code, out, err = windlass("review", "down", "--closed")
    assert (code, "no review of digits in dev is closed" in out) == (0, True), err
    assert "GitLab shows no merge request !7; windlass review down --iid 7 ends it" in err
    assert sorted(live(windlass)) == ["digits_mr7"]


def test_without_the_account_of_airflow_nothing_changes_unless_nobody_shall_look_and_links_need_none(
    project: Path, windlass: Run, airflow: AirflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(project, windlass, "0.95")
    monkeypatch.delenv("PASSWORD")
    assert "PASSWORD" in review(windlass, "up", "--iid", "7", code=2)
    assert review(windlass, "list") == []
    up = review(windlass, "up", "--iid", "7", "--no-verify")
    assert (up["verdict"], review(windlass, "list")[0]["url"]) == (None, up["url"])


def test_an_airflow_that_is_away_does_not_keep_a_review_in(
    project: Path, windlass: Run, airflow: AirflowServer
) -> None:
    pushed(project, windlass, "0.95")
    review(windlass, "up", "--iid", "7")
    airflow.away = True
    code, out, err = windlass("review", "down", "--iid", "7")
    assert (code, "digits_mr7 is taken out" in out) == (0, True), err
    assert "keeps what it has of digits_mr7" in err
    assert "do not print me" not in out + err
    assert live(windlass) == {}


def test_a_first_environment_with_a_gate_takes_no_review_and_a_commit_is_needed(
    project: Path, windlass: Run, airflow: AirflowServer
) -> None:
    assert "give its number with --iid" in review(windlass, "up", code=2)
    (project / "train.csv").write_text("0.95\n")
    assert "a review is what a commit says" in review(windlass, "up", "--iid", "7", code=2)
    path = project / "environments/dev.yml"
    path.write_text(path.read_text() + "gate: {approvals: 1}\n")
    commit("gate")
    assert "dev has a gate, and a review comes before anybody has approved" in review(
        windlass, "up", "--iid", "7", code=2
    )
