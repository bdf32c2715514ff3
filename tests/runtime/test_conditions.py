"""Conditions, items, notifiers and values by environment, as a release runs them."""

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from windlass.runtime import conditions, items
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.item import with_item
from windlass.runtime.notifier import Notifier, deadline_missed

FILE = {"key": "dev/k", "sha256": "0", "size": 3, "name": "k.json"}
RUNTIME = Path(conditions.__file__).parent


class Task:
    """A task of Airflow, as far as conditions know it."""

    def render_template(self, text: str, context: Any) -> str:
        return text.replace("{{ ds }}", "2026-01-31")


@pytest.mark.parametrize("said", ["", " ", "0", "False", "no", "None\n", "off", "null", "[]", "{}"])
def test_no_is_no_in_every_form(said: str) -> None:
    assert not conditions._says_yes({"task": Task()}, said, "", "")


@pytest.mark.parametrize("said", ["1", "True", "yes", "{{ ds }}", "delta", "0.0"])
def test_all_else_is_yes(said: str) -> None:
    assert conditions._says_yes({"task": Task()}, said, "", "")


@pytest.mark.airflow
def test_a_task_is_skipped_with_the_reason() -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    conditions.only_if("yes")({"task": Task()})
    conditions.skip_if("no")({"task": Task()})
    with pytest.raises(AirflowSkipException, match="only_if '0' says no"):
        conditions.only_if("0")({"task": Task()})
    with pytest.raises(AirflowSkipException, match="skip_if 'yes' says yes"):
        conditions.skip_if("yes")({"task": Task()})


def test_an_item_is_itself_where_it_is_all_and_text_inside_of_text() -> None:
    assert with_item({"a": ["{x}", "n{x}", "{y}", 1]}, "x", 7) == {"a": [7, "n7", "{y}", 1]}
    assert with_item("{x}", "x", FILE) is FILE
    with pytest.raises(RuntimeStop, match="is a file here; take it as an input"):
        with_item("in/{x}.csv", "x", FILE)


def test_what_is_put_in_for_an_item_is_not_read_again() -> None:
    assert with_item("{x}/{x}", "x", "{x}{{ ds }}") == "{x}{{ ds }}/{x}{{ ds }}"


def test_items_are_the_files_of_a_list_without_what_else_is_said_of_them() -> None:
    assert items.items_of("f", [FILE | {"more": 1}]) == [FILE]
    assert items.items_of("f", []) == []
    with pytest.raises(RuntimeStop, match="NaN is no number of JSON"):
        items.items_in("f", b"[1, NaN]")
    assert items.items_of("f", ["a", 1]) == ["a", 1]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (FILE | {"name": "a.csv"}, "is one file; give a list of files"),
        (FILE | {"size": 2_000_000}, "has 2000000 bytes"),
        ([None], "has produced nothing"),
        ("text", "is neither a file"),
        (None, "has produced nothing"),
    ],
)
def test_what_holds_no_items_is_refused(value: Any, said: str) -> None:
    with pytest.raises(RuntimeStop, match=said):
        items.items_of("f", value)


@pytest.mark.parametrize("content", [b"{}", b"[[1]]", b"nonsense", b"[null]", b"[" * 100_000, b"\xff"])
def test_a_file_must_hold_a_list_of_plain_items(content: bytes) -> None:
    with pytest.raises(RuntimeStop, match="for_each 'f': the file"):
        items.items_in("f", content)
    assert items.items_in("f", b'["a", 1, 2.5, true]') == ["a", 1, 2.5, True]


def test_a_notifier_says_who_is_told_what_and_never_raises(caplog: pytest.LogCaptureFixture) -> None:
    context = {"dag_run": SimpleNamespace(dag_id="scoring", run_id="r1"), "ti": SimpleNamespace(task_id="a.b")}
    with caplog.at_level(logging.WARNING):
        Notifier("failure", ["ops"])(context)
        Notifier("retry", ["ops"])(context)
        deadline_missed(names=["risk"], context=None)
        deadline_missed(names=["risk"], context={"dag_run": {"dag_id": "scoring", "dag_run_id": "r2"}})
    said = [message for message in caplog.messages if message.startswith("pipeline")]
    nobody = "is to be told of it, and notify in the environment's file names nobody so"
    assert said == [
        f"pipeline scoring, run r1 failed: ops {nobody}",
        f"pipeline scoring, run r1, task a.b is tried again: ops {nobody}",
        f"pipeline ?, run ? missed its deadline: risk {nobody}",
        f"pipeline scoring, run r2 missed its deadline: risk {nobody}",
    ]


def chosen(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from digits.runtime.settings import by_environment; print(by_environment(1, prod=2, dev=None))"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


def test_a_value_is_chosen_by_the_name_in_the_settings_beside_the_release(tmp_path: Path) -> None:
    shutil.copytree(RUNTIME, tmp_path / "digits/runtime")
    settings = tmp_path / "environment.json"
    assert chosen(tmp_path).stdout == "1\n"
    for name, value in {"prod": "2", "dev": "None", "stage": "1"}.items():
        settings.write_text(json.dumps({"name": name}))
        assert chosen(tmp_path).stdout == f"{value}\n"
    settings.write_text("nonsense")
    assert "is not an environment's settings" in chosen(tmp_path).stderr
