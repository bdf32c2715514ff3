"""No value can become a part of a statement."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.runtime.errors import RuntimeStop
from windlass.runtime.sql_text import SqlText, check_one_transaction, one_query


def filled(before: str, value: object, after: str = "") -> str:
    sql = SqlText()
    return sql.filled(f"{before}{sql.mark(value)}{after}")


@given(st.text().filter(lambda value: "\0" not in value))
def test_inside_quotes_any_value_stays_one_text(value: str) -> None:
    text = filled("select '", value, "' || 'x'")
    found = re.fullmatch(r"select '((?:[^']|'')*)' \|\| 'x'", text, re.S)
    assert found is not None and found[1].replace("''", "'") == value


@pytest.mark.parametrize(
    ("value", "text"),
    [("3", "3"), ("-5", " -5"), ("-1.5", " -1.5"), ("scores.credit", "scores.credit"), ("1, 2,3", "1, 2,3"), (7, "7")],
)
def test_elsewhere_a_value_may_be_a_number_or_words(value: object, text: str) -> None:
    assert filled("select ", value) == f"select {text}"


@pytest.mark.parametrize(
    "value", ["1; drop table x", "1 or true", "a'b", "1--", "", "x()", "a/*", '"x"', "$1", "é", "--5"]
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("select ", ""),
        ('select "', '"'),
        ("select e'", "'"),
        ("select E'\\'", "'"),
        ("select E'a'\n  '\\", "'"),
        ("select e'a' -- '\n'", "'"),
        ("select $$", "$$"),
        ("select $x$", "$x$"),
        ("select 1 -- '", "'"),
        ("select /* '", "' */ 1"),
        ("select /* /* */ '", "' */ 1"),
        ("select '' || ", " || ''"),
        ("select 'a''' || ", " || ''"),
        ('select "it\'s", ', ", 'x'"),
        ("select 'never closed\\' , 'x' || ", ""),
    ],
)
def test_elsewhere_any_other_value_is_refused(value: str, before: str, after: str) -> None:
    with pytest.raises(RuntimeStop, match=r"stands outside of '\.\.\.'"):
        filled(before, value, after)


def test_a_zero_byte_is_refused_even_inside_quotes() -> None:
    with pytest.raises(RuntimeStop):
        filled("select '", "a\0b", "'")


def test_a_value_that_looks_like_a_mark_is_not_read_again() -> None:
    sql = SqlText()
    secret = sql.mark("first")
    assert sql.filled(f"select '{secret}', '{sql.mark(secret + ' x')}'") == f"select 'first', '{secret} x'"


@pytest.mark.parametrize(
    "text", ["select 1", "select 1;", "select 1 ; \n", "select ';' ; -- the end; really", "select $$;$$ /* ; */"]
)
def test_one_query_may_end_with_a_semicolon_and_a_comment(text: str) -> None:
    assert one_query(text) in text and not one_query(text).rstrip().endswith("the end; really")


def test_a_second_statement_is_refused_where_one_query_is_meant() -> None:
    for text in ("select 1; select 2", "select ';'; delete from x", "select 1;;x"):
        with pytest.raises(RuntimeStop, match="sql must be one query"):
            one_query(text)


@pytest.mark.parametrize(
    "text",
    ["commit", "insert into x values (1);\nCOMMIT", "begin; x", "; /* x */ rollback", "start  transaction", ";END"],
)
def test_statements_that_end_the_transaction_are_refused(text: str) -> None:
    with pytest.raises(RuntimeStop, match="they run in one transaction"):
        check_one_transaction(text)


@pytest.mark.parametrize(
    "text",
    [
        "select 'commit; commit'",
        "do $$ begin perform 1; end; $$",
        "select 1 as commit",
        "-- commit;\nselect 1",
        'select "x;commit"',
        "select case when true then 1 end; select 2",
    ],
)
def test_the_same_words_elsewhere_are_not(text: str) -> None:
    check_one_transaction(text)
