"""Plans say what would change and why it may not."""

from tests.delivery.conftest import World, settings
from windlass.delivery.archive import Archive, read_archive
from windlass.delivery.plan import Origin, Plan
from windlass.delivery.survey import deciding_promotion, plan_now

ONE, TWO = "1" * 40, "2" * 40
OLD, NEW = "a" * 16, "b" * 16


def plan(world: World, archive: Archive, commit: str, tag: str | None = None) -> Plan:
    release = read_archive("digits", archive.digest, archive.content)
    source, target = world.place("dev"), world.place("stage")
    return plan_now(target, deciding_promotion(source, target, settings("stage"), release, Origin(commit, tag)))


def test_a_first_promotion_adds_everything(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"}, {"digits": world.train(OLD, 0.95)})
    made = plan(world, archive, ONE, "v1")
    assert made.describe() == [
        f"stage: digits from nothing to v1 ({archive.digest[:12]})",
        "  + pipeline read",
        f"  + model digits {OLD} (accuracy 0.95)",
        "  to copy: model digits, the release",
    ]


def test_pipelines_and_models_are_compared_with_what_is_live(world: World) -> None:
    first = world.publish(ONE, {"read": "one", "write": "w", "old": "o"}, {"digits": world.train(OLD, 0.95)})
    world.promote(first, ONE, "stage")
    second = world.publish(TWO, {"read": "two", "write": "w", "new": "n"}, {"digits": world.train(NEW, 0.97)})
    made = plan(world, second, TWO)
    assert made.describe()[1:] == [
        "  + pipeline new",
        "  - pipeline old",
        "  ~ pipeline read",
        f"  ~ model digits {OLD} (accuracy 0.95) -> {NEW} (accuracy 0.97)",
        "  to copy: model digits, the release",
    ]
    assert made.as_json()["pipelines"] == {"added": ["new"], "removed": ["old"], "changed": ["read"], "rebuilt": []}


def test_the_same_yaml_with_another_operator_is_told_apart(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage")
    made = plan(world, world.publish(TWO, {"read": "one"}, operator="You say "), TWO)
    assert "  ~ pipeline read (same YAML, other code)" in made.describe()


def test_a_failed_gate_is_a_reason_against(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}, {"digits": world.train(OLD, 0.97)}), ONE, "stage")
    made = plan(world, world.publish(TWO, {"read": "one"}, {"digits": world.train(NEW, 0.95)}), TWO)
    assert made.refusals == (
        f"model 'digits', version {NEW}: metric 'accuracy' is 0.95, below the live version's 0.97",
    )
    assert not made.is_done


def test_a_tag_or_a_setting_alone_is_a_change_and_the_same_again_is_none(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    world.promote(archive, ONE, "stage")
    assert plan(world, archive, ONE).is_done
    assert not plan(world, archive, ONE, "v1").is_done
    release = read_archive("digits", archive.digest, archive.content)
    target = world.place("stage")
    other = settings("stage").model_copy(update={"images": {"python": "python:3.11"}})
    made = plan_now(target, deciding_promotion(world.place("dev"), target, other, release, Origin(ONE)))
    assert made.settings_changed
    assert not made.is_done


def test_an_object_that_is_missing_in_the_target_is_something_to_do(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    world.promote(archive, ONE, "stage")
    del world.store.objects[f"stage/releases/digits/{archive.digest}.tar.gz"]
    assert not plan(world, archive, ONE).is_done
    outcome = world.promote(archive, ONE, "stage")
    assert not outcome.changed
    assert plan(world, archive, ONE).is_done
