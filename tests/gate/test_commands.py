"""The commands at the gate: `gate`, `promote`, `override`, `freeze` and `unfreeze`, as jobs run them."""

import json
from pathlib import Path

import pytest

from tests.gate.conftest import USUAL, Run, Scene
from tests.gate.server import JOB, PRIVATE

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _gate(scene: Scene) -> None:
    scene.policy(USUAL)


def promoted(scene: Scene, windlass: Run, tag: str, **more: str) -> tuple[int, str, str]:
    return windlass("promote", "--to", "prod", "--no-verify", "--tag", tag, *more)


def test_from_a_refusal_to_a_promotion_whose_decision_is_replayed(scene: Scene, windlass: Run, tmp_path: Path) -> None:
    scene.live = None
    review = scene.merge("ann")
    archive = scene.release()
    scene.tag("v1")
    scene.monkeypatch.setenv("GITLAB_USER_LOGIN", "mallory")
    scene.monkeypatch.setenv("CI_COMMIT_TAG", "v1")
    code, out, err = windlass("gate", "--to", "prod")
    assert (code, "refused: !1 by ann needs 1 approval after its last push" in out) == (2, True), err
    assert "prod would refuse this release for 2 reasons" in err
    code, _, err = promoted(scene, windlass, "v1")
    assert (code, "prod stays as it is: !1 by ann needs 1 approval" in err) == (2, True)
    scene.gitlab.approve(review, "bob")
    code, out, err = windlass("gate", "--to", "prod", "--json")
    assert (code, json.loads(out)["passed"]) == (0, True), err
    code, out, err = windlass("promote", "--to", "prod", "--no-verify", "--json")
    assert code == 0, err
    result = json.loads(out)
    deployment = json.loads(windlass("status", "prod", "--json")[1])[0]["deployment"]
    assert (deployment["actor"], deployment["gate"]) == ("dev", result["gate"]["decision"])
    key = f"prod/provenance/digits/{archive.digest}/gate/{deployment['gate']}.json"
    assert result["gate"]["key"] == key
    kept = tmp_path / "decision.json"
    kept.write_bytes(scene.world.store.objects[key])
    for name in ("CI_SERVER_URL", "CI_JOB_TOKEN"):
        scene.monkeypatch.delenv(name)
    for name in (key, str(kept)):
        code, out, err = windlass("gate", "--replay", name)
        assert (code, "the answer is the same" in out) == (0, True), err
    kept.write_bytes(kept.read_bytes().replace(b'"actor": "bob"', b'"actor": "eve"'))
    code, _, err = windlass("gate", "--replay", str(kept))
    assert (code, "was altered" in err) == (2, True)
    code, _, err = windlass("rollback", "prod", "--no-verify")
    assert "had one release only" in err or code == 0
    assert JOB not in out + err + json.dumps(result) + kept.read_text()


@pytest.mark.parametrize("way", ["a gate that is gone", "another folder", "no variables of the gate"])
def test_environments_that_were_edited_here_change_nothing(
    scene: Scene, windlass: Run, tmp_path: Path, way: str
) -> None:
    scene.live = None
    scene.merge("ann")
    scene.release()
    scene.tag("v1")
    folder = tmp_path / "mine" / "environments"
    folder.mkdir(parents=True)
    for path in (scene.platform / "environments").iterdir():
        (folder / path.name).write_text(path.read_text())
    prod = folder / "prod.yml"
    prod.write_text(prod.read_text().replace(USUAL, ""))
    if way == "a gate that is gone":
        (scene.platform / "environments/prod.yml").write_text(prod.read_text())
        given: tuple[str, ...] = ()
    else:
        given = ("--environments", str(folder))
    if way == "no variables of the gate":
        scene.monkeypatch.delenv("WINDLASS_PLATFORM")
        scene.monkeypatch.setenv("CI_PROJECT_PATH", "platform/windlass")
    code, _, err = windlass("promote", "--to", "prod", "--no-verify", *given)
    assert (code, "!1 by ann needs 1 approval" in err) == (2, True), err


def test_an_upstream_that_was_edited_here_is_refused(scene: Scene, windlass: Run) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.release()
    scene.tag("v1")
    path = scene.platform / "environments/prod.yml"
    path.write_text(path.read_text().replace("upstream: dev\n", "upstream: dev\nprefix: mine\n"))
    code, _, err = windlass("gate", "--to", "prod")
    assert (
        code,
        "prefix of prod here is not what main of platform/windlass says" in windlass("gate", "--to", "prod")[1],
    ) == (2, True), err


def test_a_project_number_of_another_project_is_found_out(scene: Scene, windlass: Run) -> None:
    scene.monkeypatch.setenv("CI_PROJECT_ID", "1")
    scene.release()
    code, _, err = windlass("gate", "--to", "prod")
    assert (code, "this job is of the GitLab project 42, and CI_PROJECT_ID says 1" in err) == (3, True), err


def test_a_token_without_a_right_is_a_service_that_refuses(scene: Scene, windlass: Run) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.release()
    scene.monkeypatch.setenv("CI_JOB_TOKEN", "wrong")
    code, _, err = windlass("promote", "--to", "prod", "--no-verify")
    assert (code, "git may not read platform/windlass" in err) == (3, True), err
    assert "wrong" not in err.replace("with this token", "")


def test_a_gitlab_that_is_away_is_worth_another_try_and_nothing_changed(scene: Scene, windlass: Run) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.release()
    scene.monkeypatch.setenv("CI_SERVER_URL", "http://127.0.0.1:1")
    code, _, err = windlass("promote", "--to", "prod", "--no-verify")
    assert (code, "does not answer git" in err) == (75, True), err
    assert not [key for key in scene.world.store.objects if key.startswith("prod/")]


def test_two_people_override_a_freeze_each_in_a_job_of_their_own(scene: Scene, windlass: Run) -> None:
    scene.live = None
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.release()
    scene.tag("v1")
    scene.monkeypatch.setenv("CI_COMMIT_TAG", "v1")
    tag_job = scene.gitlab.job
    scene.in_job("zoe")
    code, _, err = windlass("freeze", "prod", "--reason", "fire")
    assert (code, "zoe may not freeze prod: that may" in err) == (2, True), err
    scene.in_job("bob")
    code, out, err = windlass("freeze", "prod", "--reason", "fire")
    assert (code, "prod is frozen: fire" in out) == (0, True), err
    assert "prod: frozen since" in windlass("status", "prod")[1]
    scene.gitlab.job = tag_job
    code, _, err = promoted(scene, windlass, "v1")
    assert (code, "prod was frozen by bob" in err) == (2, True), err
    scene.in_job("bob")
    code, _, err = windlass("override", "prod", "--tag", "v1", "--reason", "it is the cure")
    assert (code, "bob may not override the gate of prod: that may mia or dev" in err) == (2, True), err
    for person in ("mia", "dev"):
        scene.in_job(person)
        code, out, err = windlass("override", "prod", "--tag", "v1", "--reason", "it is the cure")
        assert (code, f"{person} overrides the gate" in out) == (0, True), err
    scene.gitlab.job = tag_job
    code, out, err = promoted(scene, windlass, "v1")
    assert (code, "! overridden: prod was frozen by bob" in out) == (0, True), err
    scene.in_job("zoe")
    assert windlass("unfreeze", "prod")[0] == 2
    scene.in_job("mia")
    code, out, err = windlass("unfreeze", "prod", "--reason", "out")
    assert (code, "promotions may come again" in out) == (0, True), err
    assert "it is not frozen; nothing to do" in windlass("unfreeze", "prod")[1]


def test_the_line_is_stopped_while_gitlab_is_away_and_not_let_go(scene: Scene, windlass: Run) -> None:
    scene.release()
    scene.monkeypatch.setenv("CI_SERVER_URL", "http://127.0.0.1:1")
    code, out, err = windlass("freeze", "prod", "--reason", "fire")
    assert (code, "nobody looked who freezes prod" in err) == (0, True), out + err
    assert windlass("unfreeze", "prod")[0] == 75


def test_the_line_is_stopped_where_the_policy_cannot_be_read(scene: Scene, windlass: Run) -> None:
    scene.release()
    given = scene.platform.parent / "good"
    (scene.platform / "environments").rename(given)
    scene.policy("gate: {approvals: many}\n")
    scene.monkeypatch.setenv("WINDLASS_ENVIRONMENTS", str(given))
    code, out, err = windlass("freeze", "prod", "--reason", "fire")
    assert (code, "nobody looked who freezes prod" in err) == (0, True), out + err


def test_on_a_laptop_the_token_says_who_somebody_is(scene: Scene, windlass: Run) -> None:
    for name in ("GITLAB_CI", "CI", "CI_SERVER_URL", "CI_PROJECT_ID", "CI_PROJECT_PATH", "CI_JOB_TOKEN"):
        scene.monkeypatch.delenv(name)
    scene.live = None
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.release()
    scene.tag("v1")
    scene.git("remote", "add", "origin", f"{scene.gitlab.url}/ocr/digits.git")
    code, _, err = windlass("promote", "--to", "prod", "--no-verify", "--tag", "v1")
    assert (code, "prod has a gate, and there is no GitLab to ask" in err) == (2, True), err
    scene.monkeypatch.setenv("WINDLASS_GITLAB_URL", scene.gitlab.url)
    scene.private()
    scene.gitlab.owner = "mia"
    code, _, err = promoted(scene, windlass, "v1")
    assert code == 0, err
    assert json.loads(windlass("status", "prod", "--json")[1])[0]["deployment"]["actor"] == "mia"
    assert PRIVATE not in err


def test_every_call_of_the_gate_may_fail_and_nothing_is_half_done(
    scene: Scene, windlass: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.live = None
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.private()
    scene.release()
    scene.tag("v1")
    scene.monkeypatch.setattr("windlass.adapters.gitlab.connection.PAUSES", ())
    scene.gitlab.asked.clear()
    code, _, err = windlass("gate", "--to", "prod", "--tag", "v1")
    assert code == 0, err
    points = len(scene.gitlab.asked)
    codes = []
    for point in range(points):
        scene.gitlab.asked.clear()
        scene.gitlab.broken = point
        codes.append(promoted(scene, windlass, "v1")[0])
        assert not [key for key in scene.world.store.objects if key.startswith("prod/state")], point
    assert set(codes) == {75}
    scene.gitlab.broken = None
    assert promoted(scene, windlass, "v1")[0] == 0
    with capsys.disabled():
        print(f"\ngate: each of {points} calls to GitLab failed once")


@pytest.mark.parametrize("command", ["gate", "override", "freeze", "unfreeze"])
def test_help_has_examples(windlass: Run, command: str) -> None:
    code, out, _ = windlass(command, "--help")
    assert code == 0
    assert "Examples:" in out
    assert f"windlass {command}" in out
    assert "--json" in out


def test_an_environment_without_a_gate_is_told_so(scene: Scene, windlass: Run) -> None:
    code, out, err = windlass("gate", "--to", "dev")
    assert (code, "dev has no gate" in out) == (0, True), err
