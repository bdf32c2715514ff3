"""The whole story of a delivery: from a merge request with a failing gate to a rollback, a freeze and an override."""

import json
from pathlib import Path

import gitlab
import pytest

from tests.delivery.test_commands import FILES
from tests.gate.story import TOKEN, Story, story  # noqa: F401 - a fixture
from windlass.delivery.history.ledger import read_history
from windlass.spec.errors import ServiceError

pytestmark = pytest.mark.stack

MODEL = {name: text for name, text in FILES.items() if not name.startswith("environments/")}
PLANNED = ("plan", "--to", "dev", "--out", ".", "--note")


def planned(story: Story, request: object, branch: str) -> tuple[int, str]:  # noqa: F811 - the fixture
    """The jobs of the merge request's pipeline: the exit code of training, and what it says; a plan with a note."""
    with story.job("ann", branch, request=request, WINDLASS_GITLAB_TOKEN=story.company.token("bot")) as job:
        code, _, said = story.run("train")
        planned, _, err = story.run(*PLANNED)
        assert (planned, "shows the plan" in err) == (1, True), err
        assert (job.folder / "terraform.json").exists()
    return code, said


@pytest.mark.parametrize(
    "knows", ["the job token alone", pytest.param("a token that reads all", marks=pytest.mark.e2e)]
)
def test_from_a_failing_gate_to_an_override(story: Story, knows: str) -> None:  # noqa: F811 - the fixture
    more = {} if knows == "the job token alone" else {"WINDLASS_GITLAB_TOKEN": story.company.token("root")}
    # the first delivery, by the book
    first = story.change("first", "Read digits", **MODEL)
    assert planned(story, first, "first")[0] == 0
    story.approve(first, "bob")
    good = story.merge(first)
    assert story.deliver(**more) == good
    story.tag("v1.0.0")
    code, out, err = story.promote("v1.0.0", **more)
    assert (code, "gate passed" in out) == (0, True), out + err
    before = story.live()
    assert before
    assert (before.projects["digits"].commit, before.deployment.actor) == (good, "dev")

    # a draft whose model is worse than the live one
    second = story.change("second", "Draft: Read them better", **{"train.csv": "0.8\n"})
    assert story.of("zoe").mergerequests.get(second.iid).draft
    code, said = planned(story, second, "second")
    assert code == 1, "the job fails; in a draft it may"
    assert "metric 'accuracy' is 0.8, below the live version's 0.9" in said
    (note,) = story.notes(second)
    assert "<!-- windlass:plan:digits:dev -->" in note
    assert "is not trained yet" in note
    second.title = "Read them better"
    second.save()
    assert planned(story, second, "second")[0] == 1
    assert len(story.notes(second)) == 1, "the same note"

    # approvals given and withdrawn, and a push after an approval
    story.push("second", "Better numbers", **{"train.csv": "0.95\n"})
    assert planned(story, second, "second")[0] == 0
    (note,) = story.notes(second)
    assert "is not trained yet" not in note
    story.approve(second, "bob")
    story.withdraw(second, "bob")
    story.approve(second, "bob")
    story.push("second", "Still better numbers", **{"train.csv": "0.96\n"})
    with pytest.raises(gitlab.GitlabError):
        story.approve(second, "bob")  # GitLab keeps the one that stands; the gate counts it no more
    story.withdraw(second, "bob")
    story.approve(second, "bob")

    # merge, dev and stage
    bad = story.merge(second)
    assert story.deliver(**more) == bad
    for name in ("dev", "stage"):
        live = story.live(name)
        assert live
        assert live.projects["digits"].commit == bad
        assert story.shown(name) == {live.name}

    # a tag by the wrong person: of the server's rules, and of the gate's
    kept, told = story.kept(), story.told()
    with pytest.raises(gitlab.GitlabError, match="not allowed to create this tag as it is protected"):
        story.tag("v1.1.0", by="zoe")
    with pytest.raises(ServiceError, match="not allowed to create this tag as it is protected"):
        story.checkout.push_as(story.remote("zoe"), "ocr/digits", "refs/tags/v1.1.0")
    story.tag("v1.1.0", by="mia")
    code, _, err = story.promote("v1.1.0", by="mia", GITLAB_USER_LOGIN="dev", **more)
    assert code == 2
    assert "tag v1.1.0 was pushed by mia, who is no developer; remove it and let dev push it" in err
    assert "!2" not in err, "nothing else stands against it"
    assert (story.kept(), story.told()) == (kept, told)

    # by the right one; Airflow cannot import it in prod, so prod goes back by itself
    story.of("mia").tags.delete("v1.1.0")
    story.tag("v1.1.1")
    story.airflow.broken.add(bad)
    code, _, err = story.promote("v1.1.1", **more)
    assert code == 2
    assert "prod is back at v1.0.0" in err.splitlines()[-1]
    back = story.live()
    assert back
    assert back.projects["digits"].commit == good
    assert story.shown() == {back.name}
    assert story.told() == told, "nobody tells GitLab of a delivery that failed"
    assert [hold.project for hold in back.holds] == ["digits"]
    actions = [record.deployment.action for record in read_history(story.store, "prod", check=True).records]
    assert actions == ["promote", "promote", "rollback"]
    story.airflow.broken.clear()

    # the line is stopped; the cure comes without an approval
    with story.job("zoe", **more):
        code, _, err = story.run("freeze", "prod", "--reason", "scores drift")
        assert (code, "zoe may not freeze prod" in err) == (2, True)
    with story.job("bob", **more):
        assert "prod is frozen: scores drift" in story.must("freeze", "prod", "--reason", "scores drift")
    third = story.change("third", "The cure", **{"train.csv": "0.97\n"})
    cured = story.merge(third)
    assert story.deliver(**more) == cured
    story.tag("v1.1.2")
    kept = story.kept()
    code, _, err = story.promote("v1.1.2", **more)
    assert code == 2
    assert "prod was frozen by bob" in err
    assert "!3 by ann needs 1 approval after its last push and has 0: nobody" in err
    assert "GitLab takes no approval after it: windlass override" in err
    assert story.kept() == kept
    with pytest.raises(gitlab.GitlabError):
        story.approve(third, "bob")  # GitLab takes no approval of what is merged
    with story.job("ann", "v1.1.2", tag=True, GITLAB_USER_LOGIN="mia", **more):
        code, _, err = story.run("override", "prod", "--reason", "it is the cure")
        assert (code, "ann may not override the gate of prod" in err) == (2, True)
    for number, person in enumerate(("mia", "mia", "dev")):
        with story.job(person, "v1.1.2", tag=True, **more):
            story.must("override", "prod", "--reason", "it is the cure")
        if number < 2:
            assert story.promote("v1.1.2", **more)[0] == 2, "one person's word, however often, is not enough"
    code, out, err = story.promote("v1.1.2", **more)
    assert (code, "! overridden: prod was frozen by bob" in out) == (0, True), err
    live = story.live()
    assert live
    assert live.projects["digits"].commit == cured
    assert live.frozen is not None
    assert story.shown() == {live.name}
    with story.job("mia", **more):
        story.must("unfreeze", "prod", "--reason", "cured")

    # what GitLab knows in the end: each thing once
    told = story.told()
    wanted = [("dev", one) for one in (good, bad, cured)] + [("stage", one) for one in (good, bad, cured)]
    assert told["deployments"] == sorted([*wanted, ("prod", good), ("prod", cured)])
    assert told["releases"] == [("v1.0.0", 1), ("v1.1.2", 1)]
    assert len(told["statuses"]) == (0 if knows == "the job token alone" else 8)
    brought = [one for one in story.project.deployments.list(get_all=True) if one.sha == cured]
    assert {request.iid for one in brought for request in one.mergerequests.list(get_all=True)} >= {third.iid}
    assert read_history(story.store, "prod", check=True).faults == []
    replayed(story)
    said = "".join(story.said)
    assert not [secret for secret in (*story.tokens, TOKEN, "not-to-be-printed") if secret in said]


def replayed(story: Story) -> None:  # noqa: F811 - the fixture
    """Every decision that was kept is judged again offline; one with another byte is refused."""
    decisions = [key for key in story.store.objects if "/gate/" in key]
    assert len(decisions) == 3
    story.monkeypatch.setattr("socket.socket.connect", _offline)
    story.monkeypatch.setenv("WINDLASS_ENVIRONMENTS", str(story.platform.folder / "environments"))
    for key in decisions:
        kept = story.folder / Path(key).name
        assert "the answer is the same" in story.must("gate", "--replay", key)
        kept.write_bytes(story.store.objects[key])
        assert json.loads(story.must("gate", "--replay", str(kept), "--json"))["same"]
    altered(story, decisions[-1])


def altered(story: Story, key: str) -> None:  # noqa: F811 - the fixture
    content, file = story.store.objects[key], story.folder / Path(key).name
    for at in range(0, len(content), max(1, len(content) // 8)):
        other = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        story.store.objects[key] = other
        code, _, err = story.run("gate", "--replay", key)
        assert (code, "was altered" in err) == (2, True), f"byte {at}"
        file.write_bytes(other)
        code, out, err = story.run("gate", "--replay", str(file))
        assert (code, "was altered" in err) == (2, True), f"byte {at} in a file: {out}"
    story.store.objects[key] = content


def _offline(*arguments: object) -> None:
    raise AssertionError("a replay asks nobody")
