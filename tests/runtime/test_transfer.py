"""Where files of tasks lie, and what counts as a file of another task."""

from types import SimpleNamespace
from typing import Any

import pytest

from windlass.runtime.errors import RuntimeStop
from windlass.runtime.transfer import data_key, only_port, references

SETTINGS: Any = SimpleNamespace(prefix="team/dev")
FILE = {"key": "dev/transfer/x", "sha256": "0" * 64, "size": 1, "name": "x.csv"}


def test_a_key_is_below_the_environments_prefix() -> None:
    assert data_key(SETTINGS, "incoming/2026-01-31 a.csv") == "team/dev/incoming/2026-01-31 a.csv"


@pytest.mark.parametrize("key", ["", "/x", "../prod/x", "a/../../x", "a//b", "a/", "./a", "a\nb", "a\0b"])
def test_a_key_that_leads_elsewhere_is_refused(key: str) -> None:
    with pytest.raises(RuntimeStop, match=r"must be relative to the environment's prefix, without '\.\.'"):
        data_key(SETTINGS, key)


def test_a_list_of_files_is_one_file_or_many_in_their_order() -> None:
    other = {**FILE, "name": "y.csv"}
    assert references("parts", FILE) == [FILE]
    assert references("parts", iter([other, FILE])) == [other, FILE]
    assert references("parts", []) == []


@pytest.mark.parametrize(
    "value", [None, "model:x", 3, [FILE, None], [FILE, "x"], [{**FILE, "name": "../x"}], {"key": "x"}]
)
def test_anything_else_is_no_list_of_files(value: Any) -> None:
    with pytest.raises(RuntimeStop, match="input 'parts': "):
        references("parts", value)


def test_an_operator_with_one_port_takes_no_other_number() -> None:
    assert only_port("convert", "input", {"data": 1}) == "data"
    for ports, reason in (({}, "not 0$"), ({"b": 1, "a": 2}, "not 2: a, b")):
        with pytest.raises(ValueError, match=f"convert has exactly one input, {reason}"):
            only_port("convert", "input", ports)
