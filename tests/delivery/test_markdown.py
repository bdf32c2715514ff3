"""A plan as Markdown: nothing that somebody wrote in a pipeline leaves its cell, mentions anybody or commands."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from windlass.delivery.plan.changes import Changes, SettingChange
from windlass.delivery.plan.compare import PipelineChange
from windlass.delivery.plan.fields import FieldChange
from windlass.delivery.plan.markdown import as_markdown, code
from windlass.delivery.plan.model_changes import ModelChange
from windlass.delivery.plan.needs import Need
from windlass.delivery.plan.next_runs import Runs
from windlass.delivery.plan.shown import one_line, pair, shown, without_secrets

HOSTILE = (
    "`",
    "``` x",
    "a|b",
    "<script>alert(1)</script>",
    "</code></details>",
    "<!-- ",
    "one\ntwo",
    "\r\n/close",
    "/approve",
    "@all",
    "&#64;all",
    "#1 !2 ~3 %4",
    "![x](http://x)",
    "[x](javascript:x)",
    "$`x`$",
    "\\",
    "\\`",
    "\u202e",
    "\x1b[31m",
    "*a* _b_",
    "| a | b |",
    "",
    " ",
    "\ud800",
    "x" * 10_000,
)
SPAN = re.compile(r"`[^`|<@#&$\\\n]+`|<code>[^<>`|@$\\\n]*</code>")
OURS = re.compile(r"\| |\|$|\|---|<br>|<details><summary>|</summary>|</details>|\*\*[\w ,:]+\*\*|### |- ")

BLOCKS = {
    "html_block",
    "inline",
    *(
        f"{name}_{end}"
        for name in ("heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item")
        for end in ("open", "close")
    ),
}


def changes_of(text: str) -> Changes:
    """A change of every kind, with `text` in each place that takes one."""
    fields = (
        FieldChange(text, (text, text), "changed", "behaviour", text, [text]),
        FieldChange(None, ("schedule",), "added", "cosmetic", after={text: text}),
        FieldChange(text, (), "removed", "breaking"),
    )
    return Changes(
        (
            PipelineChange(text, "changed", "breaking", fields, (text, text), None, (None, Runs(text, (text,)))),
            PipelineChange(text, "rebuilt", "behaviour", code=(text,) * 9),
            PipelineChange(text, "changed", "behaviour", note=text),
        ),
        (ModelChange(text, text or None, text, {text: 1.0}, {text: 2.0}),),
        (SettingChange(text, "changed", "behaviour"),),
        (Need("connection", text, "missing", "breaking"),),
    )


def made(text: str) -> str:
    return as_markdown(f"Plan {code(text)}", changes_of(text), text, [text])


def check(markdown: str) -> None:
    """Every line begins with ours, and takes no character of theirs out of code."""
    assert markdown.isprintable() or set(markdown) - {"\n"} == {one for one in markdown if one.isprintable()}
    for line in markdown.splitlines():
        rest = SPAN.sub("", line)
        assert not re.search(r"[`<>@#$\\&]", OURS.sub("", rest)), line
        assert line == "" or OURS.match(line), line
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        assert token.type in BLOCKS, token
        assert token.type != "html_block" or re.fullmatch(r"<details>.*</summary>\n|</details>\n", token.content)
        inside = False
        for child in token.children or []:
            assert child.type in ("text", "code_inline", "html_inline", "strong_open", "strong_close"), child
            assert child.type != "html_inline" or child.content in ("<code>", "</code>", "<br>"), child
            inside = child.content == "<code>" or (inside and child.content != "</code>")
            assert child.type != "text" or inside or re.fullmatch(r"[\w ,:]*", child.content, re.ASCII), child
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {SPAN.sub("", row).count("|") for row in rows} <= {5, 7}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_in_its_code(text: str) -> None:
    check(made(text))


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(HOSTILE[:-1])).map("".join)))
def test_no_text_breaks_out(text: str) -> None:
    check(made(text))


@settings(deadline=None)
@given(st.one_of(st.text(), st.sampled_from(HOSTILE)))
def test_the_lines_for_a_person_hold_nothing_that_moves_a_terminal(text: str) -> None:
    lines = changes_of(text).describe(text)
    assert all(line.isprintable() and line.startswith("  ") for line in lines)
    assert len(lines) == 3 + 3 + 1 + 1 + 1 + 1 + 1
    json.dumps(changes_of(text).as_json())


def test_a_plan_is_a_headline_with_counts_a_table_and_folded_fields() -> None:
    field = FieldChange(
        "transform.score", ("job", "execution_time"), "changed", "behaviour", "10 minutes", "20 minutes"
    )
    changes = Changes(
        (PipelineChange("read", "changed", "behaviour", (field,)), PipelineChange("new", "added", "behaviour"))
    )
    assert as_markdown("Plan for stage: `digits` `v1`", changes, "stage", ["to copy: the release"]) == (
        "### Plan for stage: `digits` `v1`\n"
        "\n"
        "**1 pipeline added, 1 pipeline changed: behaviour**\n"
        "\n"
        "| | what | how | impact |\n"
        "|---|---|---|---|\n"
        "| `~` | pipeline `read` | `1 change` | behaviour |\n"
        "| `+` | pipeline `new` |  | behaviour |\n"
        "\n"
        "<details><summary>pipeline <code>read</code>: 1 change</summary>\n"
        "\n"
        "| | task | field | before | after | impact |\n"
        "|---|---|---|---|---|---|\n"
        "| `~` | `transform.score` | `job.execution_time` | `10 minutes` | `20 minutes` | behaviour |\n"
        "\n"
        "</details>\n"
        "\n"
        "- `to copy: the release`\n"
    )


def test_what_gitlab_would_read_as_more_than_text_is_numbers() -> None:
    assert code("0 6 * * *") == "`0 6 * * *`"
    assert code("@all|`") == "<code>&#64;all&#124;&#96;</code>"


def test_a_plan_of_a_thousand_changes_stays_short() -> None:
    fields = tuple(FieldChange(f"g.t{i}", (), "removed", "breaking") for i in range(1000))
    pipelines = tuple(PipelineChange(f"p{i}", "changed", "breaking", fields) for i in range(300))
    markdown = as_markdown("Plan", Changes(pipelines), "stage")
    assert len(markdown) < 900_000
    assert "900 more" in markdown and "100 more" in markdown


def test_long_values_begin_where_they_differ() -> None:
    before, after = pair("x" * 500 + " old" + "y" * 500, "x" * 500 + " new" + "y" * 500)
    assert (before[:18], after[:18]) == ("…xxxxxxxxxxx oldyy", "…xxxxxxxxxxx newyy")
    assert len(before) == len(after) == 60 and before.endswith("…")
    assert pair("a", "b") == ("a", "b")
    assert pair("a" * 100, "a" * 101) == ("…" + "a" * 12, "…" + "a" * 13)


@settings(deadline=None)
@given(st.text(), st.text())
def test_two_texts_that_differ_look_different(before: str, after: str) -> None:
    if before != after and not {*before, *after} & {"\\"}:
        assert pair(before, after)[0] != pair(before, after)[1]
    assert one_line(shown(before)).isprintable()


def test_secrets_are_hidden_wherever_they_are() -> None:
    assert without_secrets("options/password", "x") == "(hidden)"
    assert without_secrets("options", {"a": {"api_key": "x"}, "max_tokens": 5}) == {
        "a": {"api_key": "(hidden)"},
        "max_tokens": 5,
    }
    headers = {"Authorization": "Bearer x", "accessToken": "x", "passphrase": "x", "aws_access_key": "x", "Accept": "y"}
    assert [name for name, value in without_secrets("headers", headers).items() if value != "(hidden)"] == ["Accept"]
    assert without_secrets("url", "https://ann:pw@x.example/a") == "https://***@x.example/a"
    assert without_secrets("urls", ["s3://k:s@b"]) == ["s3://***@b"]
