"""YAML as plain data with positions: what is read, where it stands, and what is refused."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from windlass.spec.document import Position, parse_document

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=15,
)


def problems(text: str | bytes) -> list[str]:
    document = parse_document("x.yml", text if isinstance(text, bytes) else text.encode())
    return [str(problem) for problem in document.problems]


def test_keys_and_values_know_their_places() -> None:
    document = parse_document("x.yml", b"dag:\n  name: x\n  tags: [a, bc]\n")
    assert document.value == {"dag": {"name": "x", "tags": ["a", "bc"]}}
    assert document.keys["dag", "name"] == Position(2, 3)
    assert document.values["dag", "name"] == Position(2, 9)
    assert document.values["dag", "tags", 1] == Position(3, 13)


def test_a_problem_at_a_place_that_is_not_written_stands_at_the_key_of_its_parent() -> None:
    document = parse_document("x.yml", b"a:\n  b: 1\n")
    assert str(document.problem(("a", "c", "d"), "rule", "words")) == "x.yml:1:1: words [rule]"
    assert str(document.problem(("a", "b"), "rule", "words")) == "x.yml:2:6: words [rule]"
    assert str(document.problem(("a", "b"), "rule", "words", at_key=True)) == "x.yml:2:3: words [rule]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            ("1", 1),
            ("-1.5", -1.5),
            ("1.5e+3", 1500.0),
            (".5", 0.5),
            ("0", 0),
            ("-9223372036854775808", -(2**63)),
            ("1.0", 1.0),
            ("true", True),
            ("null", None),
            ("~", None),
        ),
        *(("2026-01-01", "2026-01-01"), ("'no'", "no"), ("'.inf'", ".inf"), ("!", ""), ("|\n a\n b\n", "a\nb\n")),
        *(("a: b", {"a": "b"}), ("~", None)),
    ],
)
def test_words_without_quotes_follow_the_core_schema(text: str, value: Any) -> None:
    document = parse_document("x.yml", text.encode())
    assert document.problems == []
    assert document.value == value and type(document.value) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "no",
            "Yes",
            "ON",
            "off",
            "1.10",
            "12:30",
            "0o17",
            "017",
            "0x1F",
            "1_000",
            "0b1",
            "1e3",
            "0E0",
            "1.5e3",
            "+.5",
        ),
        *("1_0.5", ".5_0", "1_0:30", "-.inf", ".NaN", "1.0e+400", "12345678901234567890"),
        *("9" * 400, f"0.{'1' * 40}"),
    ],
)
def test_what_yaml_1_1_reads_differently_is_a_problem(text: str) -> None:
    (problem,) = problems(f"a: {text}\n")
    assert problem.startswith(f"x.yml:1:4: '{text}' without quotes is") and problem.endswith("[yaml-surprise]")
    assert problems(f"a: '{text}'\n") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "x.yml:2:1: key 'a' is given twice, first in line 1 [duplicate-key]"),
        ("a: !!python/name:os.system\n", "x.yml:1:4: tag"),
        ("a: &x {b: *x}\n", "x.yml:1:11: alias '*x' has no anchor before it"),
        ("<<: {a: 1}\n", "x.yml:1:1: merge keys"),
        ("[a]: 1\n", "x.yml:1:1: a key must be a word"),
        ("a: 1\n---\nb: 1\n", "x.yml:2:1: a second document begins here"),
        ("a: [1\n", "x.yml:2:1: while parsing"),
        (b"a: \xff\n", "x.yml:1:4: the file is not UTF-8 text"),
        ("a: \x07\n", "x.yml:1:1: the character U+0007 is not allowed"),
        ("[" * 50, "x.yml:1:41: nested more than 40 deep"),
        (b"x" * 1_000_001, "x.yml:1:1: the file has 1,000,001 bytes"),
        ("", "x.yml:1:1: the file is empty"),
        ("# a\u2028b: 1\n", "x.yml:1:4: the character U+2028 ends a line for some"),
        ("a: 1\nb:\r  c\n", "x.yml:2:3: the character U+000D ends a line for some"),
        ("a: 'b\x85c'\n", "x.yml:1:6: the character U+0085 ends a line for some"),
        ('a: "b\\0c"\n', "x.yml:1:4: the character U+0000 is not allowed, nor"),
        ('"a\\0": b\n', "x.yml:1:1: the character U+0000 is not allowed, nor"),
        (
            f"a: &a {'[' * 30}{']' * 30}\nb: {'[' * 10}*a{']' * 10}\n",
            "x.yml:2:14: nested more than 40 deep once its aliases are followed",
        ),
    ],
)
def test_what_cannot_be_trusted_is_one_problem_with_its_place(text: str | bytes, message: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(message)


def test_an_alias_is_a_copy_of_its_anchor() -> None:
    document = parse_document("x.yml", b"a: &a {b: [1]}\nc: *a\n")
    assert document.value == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert document.value["a"] is not document.value["c"]


def test_aliases_of_aliases_cannot_nest_deeper_than_python_recurses() -> None:
    lines = [f"a0: &a0 {'[' * 30}{']' * 30}", *(f"a{i}: &a{i} {'[' * 30}*a{i - 1}{']' * 30}" for i in range(1, 60))]
    assert "nested more than 40 deep" in problems("\n".join(lines))[0]


@pytest.mark.parametrize("word", ["1_" * 400_000 + ".", "1" * 900_000, "1:" * 400_000 + "x", "." + "5_" * 400_000])
def test_a_megabyte_that_is_nearly_a_number_is_looked_at_once(word: str) -> None:
    document = parse_document("x.yml", word.encode())
    assert document.value == word


@given(st.from_regex(r"[-+]?[0-9_.:]{1,5}([eE][-+]?[0-9]{1,3})?", fullmatch=True))
def test_a_number_without_quotes_is_what_pyyaml_reads_or_a_problem(word: str) -> None:
    document = parse_document("x.yml", f"[{word}]".encode())
    if not document.problems:
        (value,), (other,) = document.value, yaml.safe_load(f"[{word}]")
        assert (value, type(value)) == (other, type(other)) or isinstance(value, dict)


@given(PLAIN)
def test_what_pyyaml_writes_is_read_back_exactly(value: Any) -> None:
    text = yaml.safe_dump(value, default_style='"' if isinstance(value, str) else None)
    document = parse_document("x.yml", text.encode())
    if not document.problems:
        assert document.value == value


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything(content: bytes) -> None:
    parse_document("x.yml", content)


@given(st.text(alphabet="[]{}:,-&*!|>'\"#%@` \nab01\t?<", max_size=80))
def test_no_text_of_yaml_signs_raises_anything(text: str) -> None:
    parse_document("x.yml", text.encode())
