# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""A plan as a page, as counts, and as a note that fits into GitLab: hostile text stays text in all of them."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import examples
from tests.delivery.test_markdown import HOSTILE, OURS, SPAN, changes_of, check
from tests.docs.test_plan_page import World, example, world  # noqa: F401 - a fixture
from windlass.adapters.gitlab.note import LONGEST
from windlass.cli.plan_forms import note_markdown, write_files
from windlass.delivery.plan.changes import Changes
from windlass.delivery.plan.compare import PipelineChange
from windlass.delivery.plan.fields import FieldChange
from windlass.delivery.plan.html import plan_html
from windlass.delivery.plan.lines import plan_markdown, release_notes
from windlass.delivery.plan.model_changes import ModelChange
from windlass.delivery.plan.plan import Plan
from windlass.delivery.plan.shown import one_line
from windlass.delivery.plan.terraform import terraform_report
from windlass.spec.model import Gate

GOLDEN = Path(__file__).parent / "golden/plan.html"
IN_JOB = {"CI_JOB_URL": "https://gitlab.example/g/p/-/jobs/7", "CI_PROJECT_DIR": str(Path.cwd())}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "section", "article", "details", "summary", "footer"),
    *("p", "h1", "h2", "h3", "strong", "span", "code", "ul", "li", "div", "table", "thead", "tbody", "tr", "th", "td"),
}


@pytest.fixture(scope="module")
def plan(world: World) -> Plan:
    return example(world)


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        self.texts.append(text)

    def handle_comment(self, text: str) -> None:
        raise AssertionError(text)


def hostile(plan: Plan, text: str) -> Plan:
    before = plan.after.model_copy(update={"commit": text, "tag": text, "release": "0" * 64})
    return replace(plan, changes=changes_of(text), refusals=(text,), unasked=text, before=before, after=before)


def check_page(plan: Plan, text: str) -> None:
    page = Page(plan_html(hostile(plan, text)))
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag in TAGS, tag
        assert set(attributes) <= {"class", "lang", "charset", "http-equiv", "content", "name", "open"}, attributes
        assert tag == "meta" or all(re.fullmatch(r"[a-z ]*", value or "") for value in attributes.values())
    shown = one_line(text)
    if 0 < len(shown) < 100:
        assert page.texts.count(shown) >= 3


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_text_in_the_page(plan: Plan, text: str) -> None:
    check_page(plan, text)


@examples(50)
@given(text=st.one_of(st.text(), st.lists(st.sampled_from(HOSTILE[:-1])).map("".join)))
def test_no_text_becomes_a_part_of_the_page(plan: Plan, text: str) -> None:
    check_page(plan, text)


def test_the_page_fetches_nothing_and_forbids_scripts(plan: Plan) -> None:
    page = plan_html(plan)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r"https?:|<script|<link|<img|@import|url\(|javascript", page)


def test_the_page_of_a_real_plan(plan: Plan, compare_golden: Callable[[Path, str], None]) -> None:
    page = plan_html(plan)
    assert plan.before is not None
    for state, digit in ((plan.before, "3"), (plan.after, "d")):  # archives differ with the zlib
        page = page.replace(state.release, digit * 64).replace(state.release[:12], digit * 12)
    compare_golden(GOLDEN, page)


def test_a_page_of_nothing_says_so(plan: Plan) -> None:
    done = replace(plan, before=plan.after, settings_changed=False, copy_models=(), copy_release=False)
    page = plan_html(replace(done, changes=Changes()))
    assert "nothing to do" in page
    assert "<section" not in page


def test_metrics_stand_beside_those_of_the_live_version(plan: Plan) -> None:
    gates = {"accuracy": Gate(at_least=0.9, not_below="live"), "loss": Gate(at_most=1)}
    model = ModelChange("m", "a", "b", {"accuracy": 0.95, "old": 1}, {"accuracy": 0.9, "loss": 0.25}, gates)
    told = replace(plan, changes=Changes(models=(model,)))
    rows = [line for line in plan_markdown(told).splitlines() if line.startswith("| `m`")]
    assert rows == [
        "| `m` | `accuracy` | `0.95` | `0.9` | `-0.05` | `at least 0.9, not below live` |",
        "| `m` | `loss` |  | `0.25` |  | `at most 1` |",
        "| `m` | `old` | `1` |  |  |  |",
    ]
    cells = ("accuracy", "0.95", "0.9", "-0.05", "at least 0.9, not below live")
    assert [cell for cell in cells if f"<code>{cell}</code>" not in plan_html(told)] == []
    assert told.as_json()["models"][0]["gates"] == {
        "accuracy": {"at_least": 0.9, "not_below": "live"},
        "loss": {"at_most": 1},
    }


def test_counts_are_those_that_gitlab_shows(plan: Plan) -> None:
    assert terraform_report(plan.changes) == {"create": 2, "update": 3, "delete": 1}
    assert terraform_report(Changes()) == {"create": 0, "update": 0, "delete": 0}
    gone = ModelChange("m", "a", None, {}, {})
    assert terraform_report(Changes(models=(gone,))) == {"create": 0, "update": 0, "delete": 1}


def test_all_files_are_written(plan: Plan, tmp_path: Path) -> None:
    write_files(plan, str(tmp_path / "a/b"))
    found = {path.name: path.read_text() for path in (tmp_path / "a/b").iterdir()}
    assert sorted(found) == ["plan.html", "plan.json", "plan.md", "terraform.json"]
    assert json.loads(found["terraform.json"]) == terraform_report(plan.changes)
    assert json.loads(found["plan.json"])["project"] == "digits"
    assert (found["plan.md"], found["plan.html"]) == (plan_markdown(plan), plan_html(plan))


def huge(plan: Plan, text: str) -> Plan:
    fields = tuple(FieldChange(f"g.t{i}", (text,), "changed", "breaking", text, text[::-1]) for i in range(90))
    pipelines = tuple(PipelineChange(f"p{i}", "changed", "breaking", fields, (text,) * 4) for i in range(150))
    models = tuple(ModelChange(f"m{i}", "a", "b", {}, {f"{text}{k}": 1 for k in range(30)}) for i in range(50))
    return replace(plan, changes=Changes(pipelines, models), refusals=(text,) * 500)


@pytest.mark.parametrize("text", ["@all|`<b>" * 10, "plain"])
@pytest.mark.parametrize("longest", [200_000, 60_000])
def test_a_plan_of_any_size_fits_into_a_note_and_says_where_the_rest_is(plan: Plan, text: str, longest: int) -> None:
    large = huge(plan, text)
    note = note_markdown(large, "out", IN_JOB, longest)
    assert len(note) <= longest
    assert note.count("<details>") == note.count("</details>")
    link = "[the whole plan](https://gitlab.example/g/p/-/jobs/7/artifacts/file/out/plan.html)"
    if len(plan_markdown(large)) > longest:
        assert f"**Not all of it is shown here**: {link}" in note
        assert len(note) > longest / 2
    for line in note.splitlines():
        rest = SPAN.sub("", line).replace(link, "").replace("[this job](https://gitlab.example/g/p/-/jobs/7)", "")
        assert not re.search(r"[`<>@#$\\&]", OURS.sub("", rest)), line


def test_a_plan_that_is_larger_than_what_gitlab_takes_is_cut(plan: Plan) -> None:
    pipelines = tuple(
        replace(one, name=f"p{i}") for i in range(200) for one in huge(plan, "a" * 60).changes.pipelines[:1]
    )
    large = replace(plan, changes=Changes(pipelines))
    assert len(plan_markdown(large)) > LONGEST >= len(note_markdown(large, None, {}, LONGEST)) > LONGEST // 2


def test_the_shortest_note_has_the_headline_and_what_is_refused(plan: Plan) -> None:
    told = replace(huge(plan, "x"), refusals=("the gate says no",))
    note = plan_markdown(told, longest=600, elsewhere=": there")
    assert len(note) <= 600
    assert note.startswith("### Plan for `stage`")
    assert "**Not all of it is shown here**: there" in note
    assert "- `refused: the gate says no`" in note


def test_a_note_says_of_which_commit_it_is_and_links_only_what_is_an_address(plan: Plan) -> None:
    said = note_markdown(plan, ".", IN_JOB, LONGEST)
    assert said.endswith(
        "[the whole plan](https://gitlab.example/g/p/-/jobs/7/artifacts/file/plan.html), "
        "of commit `22222222` by [this job](https://gitlab.example/g/p/-/jobs/7)\n"
    )
    assert note_markdown(plan, None, IN_JOB, LONGEST).count("](") == 1
    for hostile_address in ("javascript:alert(1)", "https://x/) @all", "https://x/\n/merge", ""):
        assert note_markdown(plan, ".", {"CI_JOB_URL": hostile_address}, LONGEST).endswith("\nof commit `22222222`\n")
    for elsewhere in ("..", "/", "a b", "a)b"):
        assert "the whole plan" not in note_markdown(plan, elsewhere, IN_JOB, LONGEST)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_in_its_code_in_release_notes_too(plan: Plan, text: str) -> None:
    check(release_notes(hostile(plan, text), longest=LONGEST))
