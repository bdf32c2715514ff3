"""Jobs, names and files that steer a gate without touching it: each is refused, or changes nothing."""

import os
from pathlib import Path

import pytest

from tests.gate.conftest import RELEASE, USUAL, Scene, git, passing
from tests.gate.evidence import decided
from windlass.cli.context import environments
from windlass.cli.gating import gatekeeper
from windlass.delivery.gate.question import Question
from windlass.spec.errors import DeliveryError, ServiceError, WindlassError
from windlass.spec.evidence import Override

pytestmark = pytest.mark.stack

OVERRIDABLE = "gate:\n  approvals: 1\n  override: {people: 2, roles: [manager, developer], for: 4 hours}\n"


def said(scene: Scene) -> str:
    return "\n".join(scene.ask("v1").refusals)


def override(person: str, user: int | None = None) -> Override:
    at = "2026-11-22T11:00:00Z"
    return Override(
        environment="prod", project="digits", release=RELEASE, person=person, user=user, reason="fire", at=at
    )


def test_a_job_whose_address_is_not_below_the_server_is_not_believed(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    scene.monkeypatch.setenv("CI_SERVER_URL", scene.gitlab.url.replace("127.0.0.1", "localhost"))
    scene.monkeypatch.setenv("CI_PROJECT_PATH", "eve/copy")
    with pytest.raises(ServiceError, match=r"this job is at .*/ocr/digits/-/jobs/7, which is not below CI_SERVER_URL"):
        scene.ask("v1")


@pytest.mark.parametrize("name", ["CI_JOB_TOKEN", "CI_SERVER_URL"])
def test_a_job_that_hides_the_server_does_not_hide_the_gate(scene: Scene, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "prod.yml").write_text("s3: {code: code, models: models, data: data}\n")
    scene.monkeypatch.setenv(name, "")
    with pytest.raises(DeliveryError, match=r"no GitLab to ask whether prod has a gate"):
        gatekeeper(environments(str(folder))["prod"])


@pytest.mark.parametrize(
    "key", ["prefix: elsewhere\n", "airflow: {url: 'http://127.0.0.1:1', username: ann, password: '${PASSWORD}'}\n"]
)
def test_the_environment_before_must_be_as_on_the_protected_branch_too(scene: Scene, tmp_path: Path, key: str) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    folder = tmp_path / "environments"
    folder.mkdir()
    for file in Path(os.environ["WINDLASS_ENVIRONMENTS"]).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "dev.yml").write_text(f"extends: base\n{key}")
    found = environments(str(folder))
    gate = gatekeeper(found["prod"], found["dev"])
    assert gate is not None
    decision = gate.ask(Question("prod", "digits", RELEASE, scene.head, "v1", scene.live, verified=passing("2026")))
    assert decision is not None
    assert decision.evidence.differs == [f"dev's {key.partition(':')[0]}"]
    assert "of prod here is not what main of platform/windlass says" in "\n".join(decision.refusals)


@pytest.mark.parametrize("name", ["CODEOWNERS", "roles.yml"])
def test_a_policy_that_is_a_link_lets_nobody_pass(scene: Scene, name: str) -> None:
    scene.merge("ann", "models/a.yml", "eve")
    scene.tag("v1")
    file = scene.platform / "environments" / name
    file.rename(scene.platform / name)
    file.symlink_to(f"../{name}")
    git(scene.platform, "add", "-A")
    git(scene.platform, "commit", "-q", "-m", "one file for two places")
    git(scene.platform, "push", "-q", str(scene.gitlab.bare("platform/windlass")), "main")
    with pytest.raises(DeliveryError, match=rf"environments/{name} of platform/windlass is a link"):
        scene.ask("v1")


def test_what_is_no_policy_may_be_a_link(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    (scene.platform / "environments" / "README.md").symlink_to("../README.md")
    scene.policy()
    assert said(scene) == ""


@pytest.mark.parametrize(
    "note",
    [
        "changed target branch from `change-1` to `main`",
        "deleted the `change-1` branch. This merge request now targets the `main` branch",
    ],
)
def test_an_approval_for_another_target_counts_nothing(scene: Scene, note: str) -> None:
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    scene.gitlab.note(review, note, "bob")
    scene.tag("v1")
    assert "bob approved before its target changed" in said(scene)
    scene.gitlab.approve(review, "bob")
    assert said(scene) == "", "who chose the target has written nothing of it"


def test_a_branch_of_the_tags_name_does_not_say_who_pushed_the_tag(scene: Scene) -> None:
    scene.private()
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.gitlab.pipelines.append(
        {"id": 400, "ref": "v1", "sha": scene.head, "source": "push", "tag": False, "user": {"username": "dev"}}
    )
    scene.tag("v1", by="ann")
    scene.gitlab.pipelines[-1]["tag"] = True
    assert "tag v1 was pushed by ann" in said(scene)


def test_one_person_with_two_names_overrides_once() -> None:
    both = {"overrides": [override("mia", 3).model_dump(), override("dev", 3).model_dump()]}
    assert not decided(OVERRIDABLE, "push ann", **both).passed
    both["overrides"][1]["user"] = 4
    assert decided(OVERRIDABLE, "push ann", **both).passed


def test_who_has_left_the_project_overrides_nothing() -> None:
    both = [override("mia").model_dump(), override("dev").model_dump()]
    assert decided(OVERRIDABLE, "push ann", overrides=both, members=["mia", "dev"]).passed
    assert not decided(OVERRIDABLE, "push ann", overrides=both, members=["mia"]).passed


def test_the_record_of_an_override_has_the_number_of_the_user(scene: Scene) -> None:
    from windlass.adapters.gitlab.identity import person_here

    scene.policy(USUAL)
    scene.gitlab.job["user"] = {"id": 17, "username": "mia"}
    person = person_here()
    assert person is not None
    assert (person.username, person.user) == ("mia", 17)


def test_an_address_with_a_password_is_refused_before_it_is_kept_anywhere(scene: Scene) -> None:
    scene.monkeypatch.setenv("CI_SERVER_URL", scene.gitlab.url.replace("http://", "http://ann:secret-of-ann@"))
    with pytest.raises(WindlassError, match="the address of GitLab has an account in it") as refused:
        scene.ask("v1")
    assert "secret" not in str(refused.value)
