"""docs/language.md: every example lints, renders and loads in Airflow, and every key of the language is there."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from windlass.lint.check import check_project
from windlass.render.project import render_project
from windlass.spec.dag import Dag
from windlass.spec.parameter import Parameter
from windlass.spec.task import TRIGGER_RULES, Approval, Branch, ForEach, Job, Split, Task

from .loaded import load_in_airflow

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = {re.findall(r"name: (\w+)", text)[0]: text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)}
FILES = {
    "sql/orders.sql": "SELECT * FROM orders WHERE day = '{{ ds }}'\n",
    "docs/orders.md": "# Orders\n",
    "environments/dev.yml": (
        "s3: {code: c, models: m, data: d}\nflavors: {cpu-1gb: {}}\nimages: {python3-11: x}\n"
        "pools: {dwh: {slots: 1}}\nconnections: {dwh: {type: postgres}}\nassets: {clients: the CRM, prices: the shop}\n"
        "notify: {ops: {connection: chat}, business: {connection: mail, to: [a@example.com]}}\n"
    ),
    "environments/prod.yml": (
        "s3: {code: c, models: m, data: d}\nflavors: {cpu-1gb: {}}\nimages: {python3-11: 'python:3.11'}\n"
        "upstream: dev\nnotify: {ops: {connection: chat}, business: {connection: chat}}\n"
        "pools: {dwh: {slots: 1}}\nconnections: {dwh: {type: postgres}}\n"
    ),
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("language")
    files = FILES | {f"pipelines/{name}.yml": text for name, text in EXAMPLES.items()}
    for path, content in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    report = check_project(folder, None)
    assert report.problems == []
    return render_project(folder, "digits", report.pipelines, report.catalog, {}).files


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_the_page_has_no_problems_and_becomes_python(name: str, rendered: dict[str, bytes]) -> None:
    assert ast.parse(rendered[f"dags/{name}.py"])


@pytest.mark.airflow
def test_airflow_loads_every_example_of_the_page(rendered: dict[str, bytes], tmp_path: Path) -> None:
    seen: Any = load_in_airflow(rendered, tmp_path)
    assert seen["errors"] == {} and seen["stable"]
    assert set(seen["dags"]) == set(EXAMPLES)


@pytest.mark.parametrize("noun", [Dag, Task, Job, Approval, Branch, ForEach, Split, Parameter])
def test_the_page_names_every_key_of_the_language(noun: Any) -> None:
    keys = [info.alias or name for name, info in noun.model_fields.items()]
    missing = [key for key in keys if not re.search(rf"[`{{ ]{key}[`:]", PAGE)]
    assert missing == []


@pytest.mark.airflow
def test_every_trigger_rule_is_one_of_airflows() -> None:
    from airflow.sdk import TriggerRule

    assert {*TRIGGER_RULES, "all_done_setup_success"} == {rule.value for rule in TriggerRule}
