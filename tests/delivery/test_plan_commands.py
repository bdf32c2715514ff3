# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""`windlass plan` in its three forms and `windlass diff`, over a real S3 protocol, real git and an Airflow's names."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.test_commands import Run, commit, deliver, git, project, s3, windlass  # noqa: F401 - fixtures
from tests.fakes.http_stub import Request, http_stub

pytestmark = pytest.mark.stack


@pytest.fixture
def delivered(project: Path, windlass: Run) -> Path:
    """v1 in dev and stage, v2 with a longer time limit in dev."""
    git("tag", "v1")
    deliver(windlass)
    assert windlass("promote", "--to", "stage")[0] == 0
    change(project, "execution_time: 5 minutes", "execution_time: 7 minutes")
    git("tag", "v2")
    deliver(windlass)
    return project


def change(project: Path, old: str, new: str) -> str:
    path = project / "pipelines/read_digits.yml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return commit("changed")


FIELD = "task transform.score: job.execution_time 5 minutes -> 7 minutes [behaviour]"


def test_a_plan_names_task_and_field_in_all_its_forms(delivered: Path, windlass: Run) -> None:
    code, out, err = windlass("plan", "--to", "stage", "--commit", "v2", "--out", "plans")
    assert code == 1, err
    assert FIELD in out
    code, markdown, _ = windlass("plan", "--to", "stage", "--commit", "v2", "--markdown")
    assert (code, (delivered / "plans/plan.md").read_text()) == (1, markdown)
    assert "| `transform.score` | `job.execution_time` | `5 minutes` | `7 minutes` |" in markdown
    code, out, _ = windlass("plan", "--to", "stage", "--commit", "v2", "--json")
    assert code == 1
    assert json.loads(out) == json.loads((delivered / "plans/plan.json").read_text())
    assert json.loads(out)["changes"][0]["fields"][0]["field"] == "job.execution_time"
    assert windlass("plan", "--to", "stage", "--tag", "v2", "--json")[1] == out
    assert FIELD not in windlass("plan", "--to", "stage", "--tag", "v1")[1]


def test_a_plan_of_changed_files_says_that_no_commit_has_them(project: Path, windlass: Run) -> None:
    assert "differ from commit" not in windlass("plan", "--to", "dev")[2]
    path = project / "pipelines/read_digits.yml"
    path.write_text(path.read_text().replace("execution_time: 5 minutes", "execution_time: 7 minutes"))
    assert "this is the plan of the files here, which differ from commit" in windlass("plan", "--to", "dev")[2]


def test_diff_compares_releases_and_environments(delivered: Path, windlass: Run) -> None:
    for points in (("dev@v1", "dev@v2"), ("stage", "dev"), ("dev@1", "dev")):
        code, out, err = windlass("diff", *points)
        assert (code, FIELD in out) == (1, True), out + err
    code, out, _ = windlass("diff", "stage", "dev@v1")
    assert (code, out) == (0, "stage and dev@v1 hold the same\n")
    assert json.loads(windlass("diff", "stage", "dev", "--json")[1])["impact"] == "behaviour"
    assert "### Project `digits`" in windlass("diff", "stage", "dev", "--markdown")[1]
    code, _, err = windlass("diff", "stage", "moon")
    assert (code, "there is no environment 'moon'" in err) == (2, True)
    code, _, err = windlass("diff", "stage", "dev", "--project", "words")
    assert (code, "valid: digits" in err) == (2, True)
    assert windlass("diff", "stage", "dev", "--json", "--markdown")[0] == 2


def test_names_are_looked_for_in_airflow_where_it_answers_and_the_plan_goes_on_where_it_does_not(
    project: Path, windlass: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(project, "key: incoming/batch.csv", 'key: "{{ var.value.which }}/{{ conn.dwh.host }}/{{ var.value.free }}"')
    change(project, "  extract:\n", "  extract:\n    # windlass: ignore[known-variable] made by hand\n")
    asked: list[str] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append(request.path.partition("?")[0])
        if request.path.startswith("/auth/token"):
            return 201, {"access_token": "t"}
        found = {"variables": [{"key": "which", "value": "top secret"}], "connections": [], "pools": []}
        name = next(name for name in found if name in request.path)
        return 200, {name: found[name], "total_entries": len(found[name])}

    base = project / "environments/base.yml"
    base.write_text(base.read_text() + "variables: {free: 1}\n")
    text = base.read_text()
    code, out, err = windlass("plan", "--to", "dev")
    assert "not known: environments/dev.yml names no airflow" in out, err
    base.write_text(text + "airflow: {url: 'http://127.0.0.1:1', username: windlass, password: '${PASSWORD}'}\n")
    code, out, err = windlass("plan", "--to", "dev")
    assert (code, "needs variables that are not set: PASSWORD" in out) == (1, True), out + err
    assert "! connection dwh is not declared in environments/dev.yml; whether Airflow has it is not known" in out
    monkeypatch.setenv("PASSWORD", "do not print me")
    code, out, err = windlass("plan", "--to", "dev")
    assert (code, "does not answer" in out) == (1, True), out + err
    with http_stub(answer) as airflow:
        base.write_text(text + f"airflow: {{url: '{airflow.url}', username: windlass, password: '${{PASSWORD}}'}}\n")
        code, out, err = windlass("plan", "--to", "dev")
    assert code == 1, err
    assert asked
    assert "! connection dwh is not declared in environments/dev.yml, and Airflow does not have it [breaking]" in out
    assert "! variable which is in Airflow and not declared in environments/dev.yml [cosmetic]" in out
    assert "! variable free is declared in environments/dev.yml, and Airflow does not have it yet" in out
    assert "do not print me" not in out + err
    assert "top secret" not in out + err
