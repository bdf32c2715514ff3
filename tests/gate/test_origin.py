"""Whose word the gate of an environment takes stays the same from one deployment to the next, whatever a job names."""

import json
from pathlib import Path

import pytest

from tests.delivery.conftest import World
from tests.gate.conftest import USUAL, Run, Scene, git
from tests.gate.evidence import NOON, decided, texts
from tests.gate.test_promote import ANN, asked, promote
from windlass.delivery.gate.decide import replay
from windlass.delivery.gate.origin import origin_before
from windlass.delivery.history.states import load_current
from windlass.delivery.promotion.freeze import freeze, unfreeze
from windlass.delivery.promotion.go_back import go_back
from windlass.delivery.promotion.holds import set_hold
from windlass.delivery.release.find import lived, state_meant
from windlass.spec.decision import read_decision
from windlass.spec.evidence import Override, PolicyOrigin
from windlass.spec.state import State, read_state

HERE = texts().origin
OVERRIDE = "gate:\n  approvals: 1\n  override: {people: 2, roles: [manager, developer]}\n"


def origin(server: str = HERE.server, path: str = HERE.path, project: int | None = None) -> PolicyOrigin:
    return PolicyOrigin(server=server, path=path, project=project)


@pytest.mark.parametrize(
    ("before", "is_same"),
    [
        (origin(), True),
        (origin(f"{HERE.server.upper()}/", HERE.path.upper()), True),
        (origin(path="eve/windlass"), False),
        (origin("https://gitlab.example.eve"), False),
        (origin(project=1), True),
    ],
)
def test_another_server_or_repository_than_before_is_refused(before: PolicyOrigin, *, is_same: bool) -> None:
    decision = decided(origin=before)
    assert decision.passed is is_same
    if not is_same:
        (sentence,) = decision.refusals
        assert f"came from {before.path} on {before.server} when it was last asked" in sentence
        assert "let no job set WINDLASS_PLATFORM or CI_SERVER_URL" in sentence
    assert replay(decision).is_same


def test_the_number_of_the_repository_goes_before_its_name_where_both_are_known() -> None:
    assert origin("https://a", "old/name", 1).is_same(origin("https://a", "new/name", 1))
    assert not origin("https://a", "a/b", 1).is_same(origin("https://a", "a/b", 2))
    assert not origin("https://a", "a/b", 1).is_same(origin("https://b", "a/b", 1))


def test_people_do_not_override_it_for_they_are_named_by_the_one_that_is_doubted() -> None:
    words = [
        Override(environment="prod", project="digits", release="f" * 64, person=who, reason="fire", at=NOON)
        for who in ("mia", "dev")
    ]
    given = [one.model_dump() for one in words]
    assert decided(OVERRIDE, "push ann", overrides=given).passed
    assert not decided(OVERRIDE, overrides=given, origin=origin(path="eve/windlass")).passed


def test_a_word_that_was_given_to_another_policy_is_none() -> None:
    elsewhere = origin("https://gitlab.example.eve")
    words = [
        Override(
            environment="prod", project="digits", release="f" * 64, person=who, reason="fire", at=NOON, policy=where
        ).model_dump()
        for who, where in (("mia", HERE), ("dev", elsewhere))
    ]
    assert not decided(OVERRIDE, "push ann", overrides=words).passed
    assert decided(OVERRIDE, "push ann", overrides=[words[0], words[1] | {"policy": None}]).passed


def test_a_move_that_somebody_said_is_in_the_decision_with_its_reason() -> None:
    decision = decided(origin=origin(path="old/windlass"), moved="one group for all platforms")
    assert decision.passed
    assert decision.overridden == (
        "the policy of prod comes from platform/windlass on https://gitlab.example, and came from old/windlass on "
        "https://gitlab.example when it was last asked; it moved: one group for all platforms",
    )
    assert replay(decision).is_same


def test_decisions_that_were_kept_before_origins_were_keep_their_bytes() -> None:
    content = decided().to_json()
    written = json.loads(content)
    assert not {"origin", "moved"} & written["evidence"].keys()
    assert "project" not in written["policy"]
    assert replay(read_decision(content, "decision.json")).is_same
    assert b"policy" not in _state(World(), "one").to_json()


def _state(world: World, word: str, *, gate: bool = False) -> State:
    archive = world.publish(word.ljust(40, "0"), {"read": word})
    return promote(world, archive, word.ljust(40, "0"), asked([]) if gate else None).state


def test_the_state_remembers_the_origin_through_every_change(world: World) -> None:
    place, settings = world.place("prod"), _state(world, "a", gate=True).environment

    def live() -> State:
        state = load_current(world.store, "prod").state
        assert state is not None
        return state

    assert live().policy == HERE
    _state(world, "b", gate=True)
    world.rollback(lived(place, "digits", "previous"), "prod")
    freeze(place, settings, ANN, clock=world.clock)
    unfreeze(place, ANN, clock=world.clock)
    set_hold(place, settings, "letters", None, ANN, clock=world.clock)
    go_back(place, state_meant(place, "2"), ANN, clock=world.clock)
    assert (live().serial, live().policy) == (7, HERE)
    assert origin_before(place, live()) == HERE


def test_a_state_of_an_earlier_windlass_is_asked_by_its_last_decision(world: World) -> None:
    state = _state(world, "a", gate=True)
    earlier = {key: value for key, value in json.loads(state.to_json()).items() if key != "policy"}
    old = read_state(json.dumps(earlier).encode(), "here")
    assert origin_before(world.place("prod"), old) == HERE
    for key in [key for key in world.store.objects if "/gate/" in key]:
        del world.store.objects[key]
    assert origin_before(world.place("prod"), old) is None


@pytest.fixture
def delivered(scene: Scene, windlass: Run) -> Scene:
    """prod has one release that the gate of platform/windlass let pass; another one is ready."""
    scene.policy(USUAL)
    scene.live = None
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.release()
    scene.tag("v1")
    code, out, err = windlass("promote", "--to", "prod", "--no-verify", "--tag", "v1")
    assert code == 0, err
    assert "gate passed; from now on prod is asked by platform/windlass on" in out
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.release("two")
    scene.tag("v2")
    return scene


def elsewhere(scene: Scene, gate: str) -> None:
    """A repository of eve's, on the same server, with a policy of her own, named by a job's variable."""
    bare = scene.gitlab.bare("eve/copy")
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare", "-b", "main")
    git(bare, "config", "uploadpack.allowFilter", "true")
    (scene.platform / "environments/prod.yml").write_text(f"extends: base\nupstream: dev\n{gate}")
    git(scene.platform, "add", "-A")
    git(scene.platform, "commit", "-q", "--allow-empty", "-m", "mine")
    git(scene.platform, "push", "-q", str(bare), "main")
    scene.monkeypatch.setenv("WINDLASS_PLATFORM", "eve/copy")


@pytest.mark.stack
@pytest.mark.parametrize("gate", ["gate: {approvals: 0}\n", ""])
def test_a_job_that_names_another_platform_is_refused(delivered: Scene, windlass: Run, gate: str) -> None:
    elsewhere(delivered, gate)
    before = dict(delivered.world.store.objects)
    code, out, err = windlass("promote", "--to", "prod", "--no-verify", "--tag", "v2")
    assert (code, "platform/windlass on" in err) == (2, True), out + err
    assert "let no job set WINDLASS_PLATFORM or CI_SERVER_URL" in err
    assert {key for key in delivered.world.store.objects if key not in before and "/states/" in key} == set()
    assert windlass("gate", "--to", "prod", "--tag", "v2")[0] == 2


@pytest.mark.stack
def test_a_job_that_names_another_platform_lets_nobody_in_again(delivered: Scene, windlass: Run) -> None:
    delivered.in_job("bob")
    assert windlass("freeze", "prod", "--reason", "fire")[0] == 0
    elsewhere(delivered, "")
    code, _, err = windlass("unfreeze", "prod")
    assert (code, "platform/windlass on" in err) == (2, True), err
    assert windlass("freeze", "prod", "--reason", "more fire")[0] == 0, "the line is stopped all the same"


@pytest.mark.stack
def test_a_platform_that_moved_is_taken_once_somebody_says_so(delivered: Scene, windlass: Run) -> None:
    elsewhere(delivered, USUAL)
    code, out, err = windlass(
        "promote", "--to", "prod", "--no-verify", "--tag", "v2", "--policy-moved", "one group for all platforms"
    )
    assert (code, "it moved: one group for all platforms" in out) == (0, True), err
    delivered.merge("ann", "pipelines/a.yml", "bob")
    delivered.release("three")
    delivered.tag("v3")
    assert windlass("promote", "--to", "prod", "--no-verify", "--tag", "v3")[0] == 0
    delivered.monkeypatch.setenv("WINDLASS_PLATFORM", "platform/windlass")
    assert windlass("unfreeze", "prod")[0] == 2, "the old one has nothing to say any more"


@pytest.mark.stack
def test_a_repository_made_anew_under_the_same_name_is_another_one(delivered: Scene, windlass: Run) -> None:
    delivered.private()
    assert windlass("promote", "--to", "prod", "--no-verify", "--tag", "v2")[0] == 0
    delivered.merge("ann", "pipelines/a.yml", "bob")
    delivered.release("three")
    delivered.tag("v3")
    delivered.gitlab.numbers["platform/windlass"] = 99
    code, _, err = windlass("promote", "--to", "prod", "--no-verify", "--tag", "v3")
    assert (code, "platform/windlass (99)" in err) == (2, True), err


@pytest.mark.stack
@pytest.mark.parametrize("is_known", [True, False])
def test_a_job_that_says_it_is_none_and_names_files_of_its_own_finds_the_gate(
    delivered: Scene, windlass: Run, tmp_path: Path, *, is_known: bool
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in (delivered.platform / "environments").iterdir():
        (folder / path.name).write_text(path.read_text().replace(USUAL, ""))
    for name in ("GITLAB_CI", "WINDLASS_PLATFORM", *(() if is_known else ("CI_JOB_TOKEN",))):
        delivered.monkeypatch.setenv(name, "")
    command = "promote", "--to", "prod", "--no-verify", "--tag", "v2", "--environments", str(folder)
    code, out, err = windlass(*command)
    assert code == 2, out
    if is_known:  # without WINDLASS_PLATFORM it is the project itself that is asked
        assert "main of ocr/digits has no environments/prod.yml" in err
        delivered.monkeypatch.setenv("WINDLASS_PLATFORM", "platform/windlass")
        assert windlass(*command)[0] == 0, "and by its gate it comes"
    else:
        assert "releases come into prod through the gate of platform/windlass" in err


@pytest.mark.stack
def test_a_gate_that_the_same_policy_gave_up_is_gone(delivered: Scene, windlass: Run) -> None:
    delivered.policy("")
    code, _, err = windlass("promote", "--to", "prod", "--no-verify", "--tag", "v2")
    assert code == 0, err
