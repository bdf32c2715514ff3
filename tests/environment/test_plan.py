"""What an apply would change, for each way in which file, record and Airflow can differ; only literals are shown."""

import json

import pytest

from tests.environment.conftest import World, declared, environment, key
from windlass.delivery.environment.apply import apply, plan_now
from windlass.delivery.environment.plan import EnvironmentPlan
from windlass.delivery.environment.wanted import wanted_objects

TEXT = """\
variables: {limit: 500, token: "${TOKEN}"}
connections: {dwh: {type: postgres, host: db, password: "${PASSWORD}", extra: {a: 1}}}
pools: {etl: {slots: 4}}
"""
SECRETS = {"TOKEN": "one-secret", "PASSWORD": "another-secret"}


@pytest.fixture
def world() -> World:
    """All of TEXT is applied."""
    world = World()
    apply(world.environs, declared(TEXT, SECRETS))
    return world


def planned(world: World, text: str = TEXT, variables: dict[str, str] = SECRETS, **options: object) -> EnvironmentPlan:
    return plan_now(world.environs, declared(text, variables), **options)


def test_everything_is_created_where_nothing_is() -> None:
    assert planned(World()).describe() == [
        "dev: 4 to change",
        "  + connection dwh: type postgres, host db, password (secret), extra (secret)",
        "  + pool etl: slots 4",
        "  + variable limit: value 500",
        "  + variable token: value (secret)",
    ]


def test_what_was_applied_needs_nothing(world: World) -> None:
    assert planned(world).describe() == ["dev: Airflow has all that is declared; nothing to do"]
    world.airflow.masks = False
    assert planned(world).is_done


@pytest.mark.parametrize("masks", [True, False])
def test_a_new_secret_is_found_although_airflow_masks_the_old_one(world: World, masks: bool) -> None:
    world.airflow.masks = masks
    plan = planned(world, variables={"TOKEN": "one-secret", "PASSWORD": "new"})
    assert plan.describe() == ["dev: 1 to change", "  ~ connection dwh: password (secret)"]


def test_a_literal_that_airflow_masks_is_compared_too(world: World) -> None:
    plan = planned(world, TEXT.replace("limit: 500", "limit: 501").replace("a: 1", "a: 2"))
    assert plan.describe()[1:] == ["  ~ connection dwh: extra (secret)", "  ~ variable limit: value 501"]


def test_versions_that_are_one_number_in_json_are_two_texts() -> None:
    world = World()
    world.airflow.masks = False
    apply(world.environs, declared('variables: {v: "1.1"}\n'))
    assert planned(world, 'variables: {v: "1.10"}\n').describe()[1:] == ["  ~ variable v: value 1.10"]


def test_json_that_airflow_writes_in_its_own_way_is_the_same() -> None:
    world = World()
    world.airflow.masks = False
    apply(world.environs, declared('variables: {v: {b: 1, a: [x]}, w: ""}\n'))
    world.airflow.objects[key("variable/v")]["value"] = '{\n  "a": ["x"], "b": 1}'
    assert planned(world, 'variables: {v: {b: 1, a: [x]}, w: ""}\n').is_done


def test_what_somebody_changed_by_hand_is_put_back_and_his_content_is_not_shown(world: World) -> None:
    world.airflow.objects[key("connection/dwh")].update(host="by-hand", login="secret-login")
    world.airflow.objects[key("pool/etl")]["slots"] = "99"
    plan = planned(world)
    assert plan.describe()[1:] == ["  ~ connection dwh: host db, login (none)", "  ~ pool etl: slots 4"]
    assert "by-hand" not in json.dumps(plan.as_json()) + repr(plan)


def test_what_is_no_longer_declared_is_deleted_and_last(world: World) -> None:
    plan = planned(world, "variables: {another: 1}\npools: {etl: {slots: 5}}\n")
    assert [(step.action, step.key.path) for step in plan.steps] == [
        ("change", "pool/etl"),
        ("create", "variable/another"),
        ("delete", "connection/dwh"),
        ("delete", "variable/limit"),
        ("delete", "variable/token"),
    ]


def test_what_windlass_did_not_make_is_in_conflict_until_it_is_adopted(world: World) -> None:
    text = TEXT.replace("etl: {slots: 4}", "etl: {slots: 4}, mine: {slots: 1}")
    world.airflow.objects[key("pool/mine")] = {"slots": "1", "description": "by hand"}
    plan = planned(world, text)
    assert plan.steps == ()
    assert not plan.is_done
    assert plan.describe()[1] == (
        "  ! pool mine is in Airflow and not windlass's: remove it there, or take it over with --adopt pool/mine"
    )
    adopted = planned(world, text, adopt=[key("pool/mine")])
    assert adopted.describe()[1:] == ["  ~ pool mine (taken over): description (kept by windlass)"]


def test_an_object_made_by_hand_under_the_name_of_a_kept_one_is_not_touched(world: World) -> None:
    world.airflow.objects[key("pool/etl")] = {"slots": "9", "description": "mine now"}
    assert planned(world).conflicts == (key("pool/etl"),)
    removal = planned(world, TEXT.replace("pools: {etl: {slots: 4}}", ""))
    assert removal.describe()[1:] == ["    forget pool etl (somebody else keeps it now; it stays in Airflow)"]


def test_what_was_taken_over_stays_when_it_is_no_longer_declared() -> None:
    world = World()
    world.airflow.objects[key("variable/v")] = {"value": "x", "description": None}
    apply(world.environs, declared("variables: {v: y}\n"), adopt=[key("variable/v")])
    apply(world.environs, [])
    assert world.airflow.objects[key("variable/v")]["value"] == "y"
    assert world.owned.objects == {}


def test_a_kept_object_that_is_gone_from_airflow_is_made_again_or_forgotten(world: World) -> None:
    del world.airflow.objects[key("pool/etl")]
    assert planned(world).describe()[1:] == ["  + pool etl: slots 4"]
    gone = planned(world, TEXT.replace("pools: {etl: {slots: 4}}", ""))
    assert gone.describe()[1:] == ["    forget pool etl (it is gone from Airflow)"]


def test_a_connection_that_loses_its_password_is_made_anew(world: World) -> None:
    text = TEXT.replace(', password: "${PASSWORD}"', "")
    plan = apply(world.environs, declared(text, SECRETS))
    assert plan.describe()[1] == "  ~ connection dwh (made anew, for it loses its password): password (none)"
    assert world.airflow.objects[key("connection/dwh")]["password"] is None
    assert planned(world, text).is_done


def test_resend_sends_every_masked_field_again(world: World) -> None:
    steps = planned(world, resend=True).steps
    assert [(step.key.name, step.fields) for step in steps] == [
        ("dwh", ("password", "extra")),
        ("limit", ("value",)),
        ("token", ("value",)),
    ]


def test_without_secrets_they_are_not_compared(world: World) -> None:
    world.airflow.objects[key("connection/dwh")]["host"] = "other"
    wanted = wanted_objects(environment(TEXT), {}, secrets=False)
    assert plan_now(world.environs, wanted).describe()[1:] == ["  ~ connection dwh: host db"]
    assert "value (secret)" in plan_now(World().environs, wanted).describe()[-1]


def test_no_secret_is_in_any_form_of_a_plan_nor_in_the_record(world: World) -> None:
    plans = [planned(World()), planned(world, variables={"TOKEN": "third-secret", "PASSWORD": "fourth-secret"})]
    shown = [text for plan in plans for text in (*plan.describe(), json.dumps(plan.as_json()), repr(plan))]
    shown += [content.decode() for content in world.store.objects.values()] + [repr(world.owned)]
    assert not [text for text in shown if "-secret" in text]
    digests = [digest for entry in world.owned.objects.values() for digest in entry.sent.values()]
    assert len(set(digests)) == 4
