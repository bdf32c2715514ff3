"""Plans say what would change and why it may not."""

from datetime import UTC, datetime

import pytest

from tests.delivery.conftest import World, settings
from tests.delivery.described import READ, changed
from tests.delivery.described import archive as described_archive
from windlass.delivery.plan.lines import plan_markdown
from windlass.delivery.plan.needs import Offer
from windlass.delivery.plan.plan import Origin, Plan
from windlass.delivery.promotion.survey import deciding_promotion, plan_now
from windlass.delivery.release.archive import Archive, read_archive
from windlass.spec.airflow_object import Key
from windlass.spec.release import release_key

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
        f"stage: digits from nothing to v1 ({archive.digest[:12]}): behaviour",
        "  + pipeline read [behaviour]",
        f"  + model digits {OLD}: accuracy 0.95 [behaviour]",
        "  to copy: model digits, the release",
    ]


def test_pipelines_and_models_are_compared_with_what_is_live(world: World) -> None:
    first = world.publish(ONE, {"read": "one", "write": "w", "old": "o"}, {"digits": world.train(OLD, 0.95)})
    world.promote(first, ONE, "stage")
    second = world.publish(TWO, {"read": "two", "write": "w", "new": "n"}, {"digits": world.train(NEW, 0.97)})
    made = plan(world, second, TWO)
    assert made.describe()[1:] == [
        "  + pipeline new [behaviour]",
        "  - pipeline old [breaking]",
        "  ~ pipeline read: no fields are shown: "
        f"release {first.digest[:12]} has no pipelines/read.json, an earlier windlass built it [behaviour]",
        f"  ~ model digits {OLD} -> {NEW}: accuracy 0.95 -> 0.97 (+0.02) [behaviour]",
        "  to copy: model digits, the release",
    ]
    assert made.as_json()["pipelines"] == {"added": ["new"], "removed": ["old"], "changed": ["read"], "rebuilt": []}


def test_the_same_yaml_with_another_operator_is_told_apart(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage")
    made = plan(world, world.publish(TWO, {"read": "one"}, operator="You say "), TWO)
    assert "  ~ pipeline read: same YAML, other code: operators/say.py [behaviour]" in made.describe()


def test_a_failed_gate_is_a_reason_against(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}, {"digits": world.train(OLD, 0.97)}), ONE, "stage")
    made = plan(world, world.publish(TWO, {"read": "one"}, {"digits": world.train(NEW, 0.95)}), TWO)
    assert made.refusals == (
        f"model 'digits', version {NEW}: metric 'accuracy' is 0.95, below the live version's 0.97",
    )
    assert not made.is_done


def test_a_pipeline_of_another_project_is_not_hidden_by_one_of_the_same_name(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one", "spell": "s"}, project="letters"), ONE, "stage", project="letters")
    made = plan(world, world.publish(TWO, {"read": "two", "write": "w"}), TWO)
    assert made.refusals == (
        "pipeline 'read' is live in stage as one of letters; give one of the two another dag.name",
    )
    assert plan(world, world.publish(TWO, {"write": "w"}), TWO).refusals == ()


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
    assert made.describe()[1:] == [
        "  ~ settings of stage: images.python; every pipeline in it is parsed again [behaviour]"
    ]
    moved = settings("stage").model_copy(update={"prefix": "elsewhere"})
    made = plan_now(target, deciding_promotion(world.place("dev"), target, moved, release, Origin(ONE)))
    assert made.changes.impact == "breaking"
    assert "python:3.11" not in str(made.as_json())


def test_an_object_that_is_missing_in_the_target_is_something_to_do(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    world.promote(archive, ONE, "stage")
    del world.store.objects[f"stage/releases/digits/{archive.digest}.tar.gz"]
    assert not plan(world, archive, ONE).is_done
    outcome = world.promote(archive, ONE, "stage")
    assert not outcome.changed
    assert plan(world, archive, ONE).is_done


NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NEEDING = changed(
    READ,
    ("key: in.csv", 'key: "{{ var.value.limit }}.csv", connection: dwh, pool: etl'),
    ("docker_image: python", "docker_image: python, resource_flavor: big"),
)
REQUIRES = {"connections": ["dwh"], "variables": ["limit"], "pools": ["etl"], "flavors": ["big"], "images": ["python"]}
DWH, LIMIT, ETL = Key("connection", "dwh"), Key("variable", "limit"), Key("pool", "etl")


def plan_needing(world: World, offer: Offer | None, *, described: bool = True) -> Plan:
    made = described_archive(NEEDING, requires={} if described else REQUIRES, described=described)
    world.store.objects[release_key("dev", "digits", made.digest)] = made.content
    release = read_archive("digits", made.digest, made.content)
    here = settings("stage").model_copy(update={"images": {"python": "python:3.11"}})
    places = world.place("dev"), world.place("stage")
    return plan_now(
        places[1], deciding_promotion(*places, here, release, Origin(ONE), trained=False, offer=offer, now=NOW)
    )


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        (None, []),
        (
            Offer(frozenset({DWH}), unasked="nobody may ask"),
            ["variable limit undeclared behaviour", "pool etl undeclared behaviour"],
        ),
        (
            Offer(frozenset({DWH}), frozenset({ETL})),
            ["connection dwh not applied breaking", "variable limit missing breaking", "pool etl by hand cosmetic"],
        ),
        (Offer(frozenset({DWH, LIMIT, ETL}), frozenset({DWH, LIMIT, ETL})), []),
    ],
)
def test_what_the_release_needs_is_looked_for_in_the_file_and_in_airflow(
    world: World, offer: Offer | None, expected: list[str]
) -> None:
    made = plan_needing(world, offer)
    assert made.changes.needs == plan_needing(world, offer, described=False).changes.needs
    needs = [f"{need.what} {need.name} {need.standing} {need.impact}" for need in made.changes.needs]
    assert needs == ["flavor big missing breaking", *expected]
    lines = made.describe()
    assert "  ! flavor big is not in the flavors of environments/stage.yml [breaking]" in lines
    assert [line for line in lines if line.startswith("  ! ")][1 : 1 + len(expected)] == [
        f"  ! {need.describe('stage')} [{need.impact}]" for need in made.changes.needs[1:]
    ]
    assert ("  not known: nobody may ask" in lines) == bool(offer and offer.unasked)


def test_a_new_pipeline_shows_its_next_runs(world: World) -> None:
    runs = "2026-11-23 06:00+01:00, 2026-11-24 06:00+01:00, 2026-11-25 06:00+01:00 (Europe/Berlin)"
    assert f"      + next runs: {runs}" in plan_needing(world, None).describe()


def test_the_json_of_a_plan_has_every_change_and_its_impact(world: World) -> None:
    first = described_archive(READ)
    world.store.objects[release_key("dev", "digits", first.digest)] = first.content
    world.promote(first, ONE, "stage")
    made = described_archive(changed(READ, ("10 minutes", "20 minutes"), ("0 6 * * *", "@daily")))
    release = read_archive("digits", made.digest, made.content)
    places = world.place("dev"), world.place("stage")
    with_image = settings("stage").model_copy(update={"images": {"python": "python:3.11"}})
    here = plan_now(places[1], deciding_promotion(*places, with_image, release, Origin(TWO), trained=False, now=NOW))
    content = here.as_json()
    assert content["impact"] == "behaviour"
    assert content["pipelines"] == {"added": [], "removed": [], "changed": ["read"], "rebuilt": []}
    (change,) = content["changes"]
    assert change["fields"] == [
        {
            "task": None,
            "field": "schedule",
            "change": "changed",
            "impact": "behaviour",
            "before": "0 6 * * *",
            "after": "@daily",
        },
        {
            "task": "transform.score",
            "field": "job.execution_time",
            "change": "changed",
            "impact": "behaviour",
            "before": "10 minutes",
            "after": "20 minutes",
        },
    ]
    assert change["next_runs"]["after"] == {
        "timezone": "Europe/Berlin",
        "times": ("2026-11-23 00:00+01:00", "2026-11-24 00:00+01:00", "2026-11-25 00:00+01:00"),
        "rhythm": None,
    }
    assert "### Plan for `stage`: `digits` from `11111111" in plan_markdown(here)
