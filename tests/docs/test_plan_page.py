"""The page on plans shows what a plan really looks like, and names every rule, key and standing."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.delivery.conftest import World, settings
from tests.delivery.described import READ, archive, changed
from tests.docs.test_pages import with_block
from windlass.delivery.plan.needs import Offer
from windlass.delivery.plan.plan import Origin, Plan
from windlass.delivery.plan.points import compare_points, load_point
from windlass.delivery.promotion.survey import deciding_promotion, plan_now
from windlass.delivery.release.archive import Archive, read_archive
from windlass.spec.release import release_key

PAGE = Path(__file__).parents[2] / "docs/plan.md"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OTHER = READ.replace("name: read", "name: other")


@pytest.fixture(scope="module")
def world() -> World:
    made = World()
    put(
        made,
        archive(READ, OTHER, READ.replace("name: read", "name: old"), models={"digits": made.train("a" * 16, 0.95)}),
    )
    return made


def put(world: World, made: Archive) -> None:
    world.store.objects[release_key("dev", "digits", made.digest)] = made.content
    world.promote(made, "1" * 40, "stage", tag="v1.1.0")


def example(world: World) -> Plan:
    """A plan with a change of nearly every kind."""
    after = changed(
        READ,
        ("10 minutes", "20 minutes"),
        ("    keep:", "    deliver:"),
        ("0 6 * * *", "0 7 * * 1-5"),
        ("[a]", "[a, b]"),
    )
    added = changed(READ, ("name: read", "name: new"), ("0 6 * * *", "@weekly"), ("in.csv", "in.csv, connection: dwh"))
    models = {"digits": world.train("b" * 16, 0.97)}
    made = archive(after, OTHER, added, models=models, code="You say")
    release = read_archive("digits", made.digest, made.content)
    places = world.place("dev"), world.place("stage")
    here = settings("stage").model_copy(update={"images": {"python": "python:3.12"}})
    offer = Offer(frozenset(), frozenset())
    return plan_now(
        places[1],
        deciding_promotion(*places, here, release, Origin("2" * 40, "v1.2.0"), trained=False, offer=offer, now=NOW),
    )


def test_the_page_shows_a_real_plan(world: World, compare_golden: Callable[[Path, str], None]) -> None:
    plan = example(world)
    shown = "\n".join(plan.describe()) + "\n"
    assert plan.before is not None
    for state, name in ((plan.before, "3f9a1c22aabb"), (plan.after, "d6b89f64a07a")):  # archives differ with the zlib
        shown = shown.replace(state.release[:12], name)
    compare_golden(PAGE, with_block(PAGE.read_text(), "speak the same words.", shown))


def test_the_page_names_every_key_of_the_json(world: World) -> None:
    page, plan = PAGE.read_text(), example(world).as_json()
    live = load_point("stage", world.place("stage"), None, lambda: "digits")
    keys = {*plan, *plan["changes"][0], *plan["models"][0], *plan["settings"][0], *plan["needs"][0]}
    keys |= {key for change in plan["changes"] for field in change["fields"] for key in field}
    keys |= set(compare_points(live, live, None, NOW).as_json())
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def test_the_page_names_every_standing() -> None:
    for standing in ("missing", "not applied", "undeclared", "by hand"):
        assert re.search(rf"^\|.*`{standing}`", PAGE.read_text(), re.M)
