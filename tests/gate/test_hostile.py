"""Words, times, records and answers of ill will: none of them reaches a terminal as it is, or ends in a traceback."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.gate.conftest import USUAL, Run, Scene
from tests.gate.evidence import GATE, NOON, decided, texts
from tests.gate.server import PRIVATE, Review, gitlab
from windlass.adapters.gitlab.connection import connection_in_ci
from windlass.adapters.gitlab.evidence import Reviews
from windlass.delivery.gate.decide import replay, require_named
from windlass.spec.decision import inputs_digest
from windlass.spec.errors import DeliveryError, ServiceError
from windlass.spec.evidence import Frozen, Override, Verified

OVERRIDE = GATE + "  override: {people: 2, roles: [manager, developer], for: 4 hours}\n"
STEERING = "fire\nerror: \x1b[2Jgate passed\x9b1m \u202etxt.exe\u2066"


def word(person: str, user: int | None = None, at: str = "2026-11-22T11:00:00Z") -> dict[str, object]:
    one = Override(
        environment="prod", project="digits", release="f" * 64, person=person, user=user, reason="fire", at=at
    )
    return one.model_dump()


def test_every_sentence_and_cell_of_a_decision_is_one_line_that_prints() -> None:
    decision = decided(
        "gate:\n  approvals: 2\n  soak: 2 hours\n",
        frozen=Frozen(reason=STEERING, actor=STEERING, at=NOON),
        verified=Verified(environment="dev", result=STEERING),
        person=STEERING,
        path=STEERING,
        is_merged=False,
    )
    shown = [
        text for check in decision.checks for text in (check.what, check.wanted, check.found, check.sentence or "")
    ]
    assert len(decision.refusals) == 4
    assert [text for text in shown if not text.isprintable()] == []
    assert any("\\u202etxt.exe" in text for text in shown)


@pytest.mark.parametrize("bot", ["project_42_bot_9f", "group_7_bot_1", "service_account_1"])
def test_a_bot_overrides_nothing(bot: str) -> None:
    roles = f"data-engineer: {{users: [bob]}}\nmanager: {{users: [mia, {bot}]}}\ndeveloper: {{users: [dev]}}\n"
    overrides = [word("mia", 1), word(bot, 2)]
    assert not decided(OVERRIDE, "push ann", roles=roles, overrides=overrides).passed


@pytest.mark.parametrize(
    ("overrides", "passes"),
    [
        ([word("mia"), word("mia", 3)], False),  # by an earlier windlass and by this one
        ([word("mia", 3), word("Mia", 4)], False),  # the name was given up, and taken by somebody else
        ([word("mia", 3), word("dev", 3), word("dev")], False),
        ([word("mia", 3), word("dev", 4)], True),
    ],
)
def test_who_is_one_by_name_or_by_number_is_one_person(overrides: list[dict[str, object]], *, passes: bool) -> None:
    assert decided(OVERRIDE, "push ann", overrides=overrides).passed is passes


@pytest.mark.parametrize("at", ["", "soon", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"])
@pytest.mark.parametrize("key", ["at", "since"])
def test_a_time_that_no_clock_shows_is_told(key: str, at: str) -> None:
    gate = OVERRIDE + "  soak: 2 hours\n  freeze: [{cron: '0 0 29 2 *', for: 300 days, timezone: UTC, reason: x}]\n"
    decision = decided(gate, verified=Verified(environment="dev", result="pass", since=NOON), overrides=[word("mia")])
    changed = {"at": at} if key == "at" else {"verified": Verified(environment="dev", result="pass", since=at)}
    evidence = decision.evidence.model_copy(update=changed)
    forged = decision.model_copy(
        update={"evidence": evidence, "inputs": inputs_digest(decision.policy, evidence), "passed": True}
    )
    with suppress(DeliveryError):
        assert not replay(require_named(forged.to_json(), "decision.json")).is_same


@pytest.mark.parametrize(
    "file",
    [
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} [{f'*b{n - 1}, ' * 9}]\n" for n in range(1, 12)),
        "[" * 100_000,
        "a" * 2_000_000,
    ],
)
def test_a_policy_in_a_decision_that_is_a_bomb_is_refused_quickly(file: str) -> None:
    decision = decided()
    policy = texts().model_copy(update={"files": texts().files | {"environments/prod.yml": file}})
    forged = decision.model_copy(update={"policy": policy, "inputs": inputs_digest(policy, decision.evidence)})
    with pytest.raises(DeliveryError):
        replay(require_named(forged.to_json(), "decision.json"))


def test_json_that_is_nested_without_end_is_no_decision() -> None:
    content = decided().to_json().replace(b'"url": null', b'"url": ' + b"[" * 50_000 + b"]" * 50_000)
    with pytest.raises(DeliveryError, match="is no decision"):
        require_named(content, "decision.json")


@pytest.mark.stack
@pytest.mark.parametrize("reason", ["", "  ", "x" * 4_000_000])
def test_a_reason_says_something_and_is_short(scene: Scene, windlass: Run, reason: str) -> None:
    scene.policy(USUAL)
    scene.release()
    scene.in_job("mia")
    before = dict(scene.world.store.objects)
    for command in ("override", "freeze", "unfreeze", "hold", "release-hold", "rollback"):
        code, _, err = windlass(command, "prod", "--reason", reason)
        assert (code, "--reason" in err) == (2, True), err[:200]
    assert scene.world.store.objects == before


@pytest.mark.stack
def test_what_steers_a_terminal_does_not_reach_it(scene: Scene, windlass: Run, tmp_path: Path) -> None:
    scene.policy(USUAL)
    scene.live = None
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.release()
    scene.in_job("bob")
    assert windlass("freeze", "prod", "--reason", STEERING)[0] == 0
    scene.tag("v1")
    said = [windlass("gate", "--to", "prod", "--tag", "v1", *more) for more in ((), ("--json",))]
    said.append(windlass("promote", "--to", "prod", "--no-verify", "--tag", "v1"))
    said += [windlass(*command) for command in (("status", "prod"), ("status", "prod", "--json"), ("history", "prod"))]
    for code, out, err in said:
        assert code in (0, 2)
        assert [one for one in out + err if not one.isprintable() and one != "\n"] == []
        assert "\nerror: \\x1b" not in out + err
    assert json.loads(said[1][1])["evidence"]["frozen"]["reason"] == STEERING


def asked_by_a_job(server: Any) -> Reviews:
    connection = connection_in_ci(
        {"CI_SERVER_URL": server.url, "CI_PROJECT_ID": "42", "CI_JOB_TOKEN": "job-token-of-this-test"}
    )
    assert connection is not None
    return Reviews(connection)


def test_notes_that_are_deleted_while_they_are_read_hide_no_push(tmp_path: Path) -> None:
    """Who deletes a note of an earlier page moves the rest: the first of the next page is not shown to anybody."""
    with gitlab(tmp_path) as server:
        review = Review(1, "ann", "c" * 40, "d" * 40)
        server.reviews.append(review)
        server.approve(review, "bob")
        for _ in range(99):
            server.note(review, "mine", "ann", system=False)
        server.push(review, "ann")  # it is the first of the second page
        mine = review.notes[1]
        answer, pages = server.answer, iter(range(100))

        def deleting(path: str, query: dict[str, str], token: str | None) -> tuple[int, object]:
            told = answer(path, query, token)
            if path.endswith("/notes"):
                shown = list(reversed(told[1]))  # as GitLab sorts them when it is asked to
                if next(pages) == 1 and mine in review.notes:
                    review.notes.remove(mine)
                    shown = [one for one in shown if one["id"] != mine["id"]]
                return 200, shown
            return told

        server.answer = deleting
        server.page = 100
        reviews = asked_by_a_job(server)
        reviews.of_commit("c" * 40, "main")
        assert [one.kind for one in reviews.merge_request(1).events] == ["approval", "push"]


def test_five_thousand_notes_take_two_rounds_of_pages(tmp_path: Path) -> None:
    with gitlab(tmp_path) as server:
        review = Review(1, "ann", "c" * 40, "d" * 40)
        server.reviews.append(review)
        server.approve(review, "bob")
        for number in range(5_000):
            review.notes.append(
                {
                    "id": 9000 + number, "body": "approved this merge request", "system": False,
                    "author": {"username": "bot"}, "created_at": "2026-11-22T11:00:00.000Z",
                }
            )  # fmt: skip
        server.page = 100
        reviews = asked_by_a_job(server)
        reviews.of_commit("c" * 40, "main")
        server.asked.clear()
        assert [(one.kind, one.actor) for one in reviews.merge_request(1).events] == [("approval", "bob")]
        assert len([path for path in server.asked if path.endswith("/notes")]) == 2 * 51


@pytest.mark.parametrize("raw", ["1e999", "Infinity", "-Infinity", "NaN"])
def test_numbers_that_are_none_are_no_answer_of_gitlabs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: str
) -> None:
    with gitlab(tmp_path) as server:
        server.reviews.append(Review(1, "ann", "c" * 40, "d" * 40))
        monkeypatch.setattr(
            "tests.gate.server.dumps", lambda value: json.dumps(value).replace('"iid": 1', f'"iid": {raw}')
        )
        given = {"CI_SERVER_URL": server.url, "CI_PROJECT_ID": "42", "WINDLASS_GITLAB_TOKEN": PRIVATE}
        connection = connection_in_ci(given)
        assert connection is not None
        with pytest.raises(ServiceError, match="is not GitLab's"):
            Reviews(connection).of_commit("c" * 40, "main")


@pytest.mark.stack
def test_a_commit_of_a_year_that_no_calendar_has_stops_no_metrics(scene: Scene, windlass: Run) -> None:
    scene.policy("")
    scene.world.promote(scene.release(), scene.head, "prod")
    raw = f"tree {scene.git('write-tree')}\nparent {scene.head}\n"
    raw += "author a <a@b> 99999999999999 +0000\ncommitter a <a@b> 99999999999999 +0000\n\nlate\n"
    file = scene.checkout.parent / "commit"
    file.write_text(raw)
    commit = scene.git("hash-object", "-t", "commit", "-w", str(file))
    scene.git("update-ref", "refs/heads/main", commit)
    scene.world.promote(scene.release("two", commit), commit, "prod")
    code, out, err = windlass("metrics", "--env", "prod", "--since", "2026-01-01", "--json")
    assert (code, json.loads(out)["all"]["deployments"]) == (0, 2), err
