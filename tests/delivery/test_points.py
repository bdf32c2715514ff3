"""Two points in the life of environments are compared in the words of a plan."""

import json
from datetime import UTC, datetime

import pytest

from tests.delivery.conftest import World, settings
from tests.delivery.described import READ, archive, changed
from windlass.delivery.plan.plan import Origin
from windlass.delivery.plan.points import Difference, compare_points, load_point, split_point
from windlass.delivery.promotion.perform import Author, perform
from windlass.delivery.promotion.survey import deciding_promotion
from windlass.delivery.release.archive import Archive, read_archive
from windlass.spec.errors import DeliveryError
from windlass.spec.release import release_key

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
LETTERS = changed(READ, ("name: read", "name: spell"))
SLOWER = changed(READ, ("10 minutes", "20 minutes"))


def put(world: World, made: Archive, commit: str, tag: str, to: str = "dev", project: str = "digits") -> None:
    world.store.objects[release_key("dev", project, made.digest)] = made.content
    world.promote(made, commit, to, tag=tag, project=project)


@pytest.fixture
def past(world: World) -> World:
    """dev: v1, v2 and another project; stage: v1 still."""
    put(world, archive(READ), ONE, "v1")
    put(world, archive(READ), ONE, "v1", "stage")
    put(world, archive(SLOWER), TWO, "v2")
    put(world, archive(LETTERS, project="letters"), THREE, "v9", project="letters")
    return world


def diff(world: World, before: str, after: str, project: str | None = None) -> Difference:
    points = []
    for point in (before, after):
        environment, name = split_point(point)
        points.append(load_point(point, world.place(environment), name, lambda: project or "digits"))
    return compare_points(points[0], points[1], project, NOW)


FIELD = "      ~ task transform.score: job.execution_time 10 minutes -> 20 minutes [behaviour]"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("dev@v1", "dev@v2"),
        ("dev@1111111", "dev@v2"),
        ("dev@1", "dev@2"),
        ("dev@1", "dev@v2"),
        ("stage", "dev@v2"),
        ("stage@1", "dev@2222222"),
    ],
)
def test_a_point_is_a_tag_a_commit_a_serial_or_what_is_live(past: World, before: str, after: str) -> None:
    made = diff(past, before, after)
    first, second = archive(READ).digest[:12], archive(SLOWER).digest[:12]
    assert made.describe() == [
        f"from {before} to {after}: behaviour",
        f"~ digits from v1 ({first}) to v2 ({second}): behaviour",
        "  ~ pipeline read [behaviour]",
        FIELD,
    ]
    assert made.impact == "behaviour"


def test_a_point_is_a_digest_or_the_name_of_a_state(past: World) -> None:
    state = past.live("stage").name
    assert FIELD in diff(past, f"stage@{state}", f"dev@{archive(SLOWER).digest[:10]}").describe()


def test_states_are_compared_with_all_their_projects_and_one_if_asked(past: World) -> None:
    made = diff(past, "stage", "dev")
    assert [(one.name, one.kind, one.impact) for one in made.projects] == [
        ("digits", "changed", "behaviour"),
        ("letters", "added", "behaviour"),
    ]
    back = diff(past, "dev", "stage")
    assert (back.impact, back.projects[1].kind) == ("breaking", "removed")
    assert [one.name for one in diff(past, "stage", "dev", "letters").projects] == ["letters"]


@pytest.mark.parametrize(
    ("before", "after"), [("dev", "dev"), ("dev@1", "stage"), ("dev@v2", "dev"), ("stage", "dev@1")]
)
def test_two_points_that_hold_the_same_differ_in_nothing(past: World, before: str, after: str) -> None:
    made = diff(past, before, after)
    assert made.impact is None
    assert made.describe() == [f"{before} and {after} hold the same"]
    assert made.as_json()["same"] is True


def test_settings_are_compared_by_key_and_not_what_two_environments_never_share(past: World) -> None:
    other = settings("dev").model_copy(update={"images": {"python": "python:3.12"}})
    made, dev = archive(SLOWER), past.place("dev")
    release = read_archive("digits", made.digest, made.content)
    perform(deciding_promotion(dev, dev, other, release, Origin(TWO, "v2")), dev, dev, Author(), clock=past.clock)
    assert diff(past, "dev@3", "dev").describe()[1:] == [
        "  ~ settings of dev: images.python; every pipeline in it is parsed again [behaviour]"
    ]
    assert [one.key for one in diff(past, "stage", "dev").settings.settings] == ["images.python"]


def test_metrics_of_models_are_compared(world: World) -> None:
    for version, accuracy, commit, tag in (("a" * 16, 0.95, ONE, "v1"), ("b" * 16, 0.97, TWO, "v2")):
        world.train(version, accuracy)
        put(world, archive(READ, models={"digits": version}), commit, tag)
    lines = diff(world, "dev@v1", "dev@v2").describe()
    assert lines[2:] == [
        "  ~ pipeline read: same YAML, other code: model digits [behaviour]",
        f"  ~ model digits {'a' * 16} -> {'b' * 16}: accuracy 0.95 -> 0.97 (+0.02) [behaviour]",
    ]


def test_the_difference_is_json_and_markdown_too(past: World) -> None:
    made = diff(past, "stage", "dev")
    content = json.loads(json.dumps(made.as_json()))
    assert content["before"] == {"point": "stage", "environment": "stage", "state": past.live("stage").name}
    assert content["projects"][0]["changes"][0]["fields"][0]["field"] == "job.execution_time"
    assert "### From `stage` to `dev`" in made.as_markdown()
    assert "### Project `digits`" in made.as_markdown()


@pytest.mark.parametrize(
    ("before", "after", "project", "words"),
    [
        ("dev@", "dev", None, "'dev@' is no point; write ENV, ENV@TAG"),
        ("@v1", "dev", None, "'@v1' is no point"),
        ("prod", "dev", None, "nothing was ever promoted to prod"),
        ("dev@v7", "dev", None, "'v7' was never live as digits in dev"),
        ("dev@77", "dev", None, "'77' was never live as digits in dev"),
        ("dev@1-000000000000", "dev", None, "dev never had a state '1-000000000000'"),
        ("dev", "stage", "words", "there is no project 'words' in dev or stage; valid: digits, letters"),
    ],
)
def test_a_point_that_never_was_is_one_sentence(
    past: World, before: str, after: str, project: str | None, words: str
) -> None:
    with pytest.raises(DeliveryError, match=words.replace("(", "\\(")):
        diff(past, before, after, project)


def test_a_release_that_is_gone_is_named(past: World) -> None:
    del past.store.objects[release_key("dev", "digits", archive(SLOWER).digest)]
    with pytest.raises(DeliveryError, match="is not in dev"):
        diff(past, "dev@v1", "dev@v2")
