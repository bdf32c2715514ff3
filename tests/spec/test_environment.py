"""Environments: what they extend, the order in which they follow, and the variables that they need."""

import os
from pathlib import Path

import pytest

from windlass.spec.document import parse_document
from windlass.spec.environment import (
    Airflow,
    Environment,
    RuntimeSettings,
    environments_folder,
    find_environment,
    load_environments,
    parse_environments,
    read_environment,
    resolve,
)
from windlass.spec.errors import WindlassError

BASE = """
s3: {code: code, models: models, data: data}
airflow: {url: "${A_URL}", username: "${A_USER}", password: "${A_PASSWORD}"}
flavors: {small: {cpus: 1, memory: 1Gi}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "base.yml").write_text(BASE)
    (folder / "dev.yml").write_text("extends: base\n")
    (folder / "stage.yml").write_text("extends: base\nupstream: dev\nflavors: {big: {cpus: 8}}\ns3: {data: other}\n")
    (folder / "a_prod.yml").write_text("extends: stage\nupstream: stage\nprefix: prod/main\n")
    return folder


def test_an_environment_lies_over_all_that_it_extends(folder: Path) -> None:
    prod = load_environments(folder)["a_prod"]
    assert (prod.name, prod.prefix, prod.upstream) == ("a_prod", "prod/main", "stage")
    assert (prod.s3.code, prod.s3.data, sorted(prod.flavors)) == ("code", "other", ["big", "small"])


@pytest.mark.parametrize(
    "inherited", ["extends: stage\nupstream: stage\n", "extends: stage\nupstream: stage\ns3: {code: mine}\n"]
)
def test_two_environments_under_the_same_keys_are_refused(inherited: str, folder: Path) -> None:
    (folder / "stage.yml").write_text("extends: base\nupstream: dev\nprefix: here\n")
    (folder / "a_prod.yml").write_text(inherited)
    with pytest.raises(
        WindlassError, match=r"environments/stage.yml: prefix 'here' in the bucket .* is that of 'a_prod'"
    ):
        load_environments(folder)
    (folder / "a_prod.yml").write_text(f"{inherited}prefix: here/too\n")
    assert len(load_environments(folder)) == 3


def test_environments_come_in_the_order_of_delivery(folder: Path) -> None:
    assert list(load_environments(folder)) == ["dev", "stage", "a_prod"]


def test_a_problem_is_shown_in_the_file_that_has_it(folder: Path) -> None:
    (folder / "base.yml").write_text(BASE + "verify: {timeout: soon}\n")
    documents = parse_environments(folder)
    assert read_environment("stage", documents) is None
    assert [str(problem) for problem in documents["stage"].problems] == [
        "environments/base.yml:5:19: timeout: 'soon' is not a duration; "
        "write it like '90 seconds', '60 minutes' or '2 hours' [schema]"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: bsae\n", "there is no environment file 'bsae' here; did you mean 'base'?"),
        ("extends: dev\n", "'dev' extends this file again"),
        ("extends: base\nupstream: prod\n", "dev.yml: upstream 'prod' is no environment here; did you mean 'a_prod'?"),
        ("extends: base\nupstream: stage\n", "leads round in a circle"),
        ("extends: base\nprefixx: a\n", "unknown key 'prefixx' in the file; did you mean 'prefix'?"),
        ("extends: base\ns3: 3\n", "s3 must be a mapping, not 3"),
        ("", "the file is empty"),
    ],
)
def test_a_broken_environment_stops_with_one_sentence(text: str, message: str, folder: Path) -> None:
    (folder / "dev.yml").write_text(text)
    with pytest.raises(WindlassError, match=message.replace("?", "[?]")):
        load_environments(folder)


def test_no_folder_and_no_environment_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WindlassError, match="looked for environments/ or"):
        load_environments(None)
    with pytest.raises(WindlassError, match="there is no environment 'pord'; valid: "):
        find_environment({"dev": load_environments(folder)["dev"]}, "pord")
    with pytest.raises(WindlassError, match="correct --environments"):
        environments_folder(tmp_path, "nowhere")
    assert environments_folder(tmp_path, None) == folder


def test_all_variables_that_are_not_set_are_listed_at_once(folder: Path) -> None:
    airflow = load_environments(folder)["dev"].airflow
    assert airflow is not None
    with pytest.raises(WindlassError, match="dev needs variables that are not set: A_PASSWORD, A_URL, A_USER;"):
        resolve(airflow, {"A_URL": ""}, "dev")


def test_variables_are_filled_in_and_a_password_hides_itself(folder: Path) -> None:
    airflow = load_environments(folder)["dev"].airflow
    assert airflow is not None
    filled = resolve(airflow, {"A_URL": "http://x", "A_USER": "u", "A_PASSWORD": "s${A_URL}"}, "dev")
    assert isinstance(filled, Airflow)
    assert (filled.url, filled.password.get_secret_value()) == ("http://x", "s${A_URL}")
    assert "s${A_URL}" not in repr(filled)


def test_a_password_that_is_not_text_is_not_shown() -> None:
    document = parse_document("e.yml", BASE.replace('"${A_PASSWORD}"', "12345678").encode())
    assert read_environment("e", {"e": document}) is None
    assert "12345678" not in str(document.problems)


def test_what_pipelines_see_holds_no_secret(folder: Path) -> None:
    environment = load_environments(folder)["dev"]
    assert isinstance(environment, Environment)
    assert "A_PASSWORD" not in environment.runtime.model_dump_json()
    assert environment.runtime.prefix == "dev"


def test_what_is_no_file_in_the_folder_is_a_problem_and_neither_read_nor_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder.yml").mkdir()
    os.mkfifo(tmp_path / "pipe.yml")
    (tmp_path / "link.yml").symlink_to("/etc/passwd")
    said = {name: str(document.problems[0]) for name, document in parse_environments(tmp_path).items()}
    assert "is a directory [syntax]" in said["folder"]
    assert "not a regular file [syntax]" in said["pipe"]
    assert "leads out of the project" in said["link"]


def test_the_folder_may_be_the_one_that_the_command_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dev.yml").write_text("s3: {code: c, models: m, data: d}\n")
    monkeypatch.chdir(tmp_path)
    assert list(load_environments(environments_folder(tmp_path, "."))) == ["dev"]


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ("{backend: docker}", "backend 'docker' needs stage_image"),
        ("{backend: kubernetes, namespace: jobs}", "backend 'kubernetes' needs stage_image"),
        ("{backend: kubernetes, stage_image: s}", "backend 'kubernetes' needs namespace"),
        ("{backend: swarm}", "backend: input should be 'local', 'docker' or 'kubernetes'"),
    ],
)
def test_a_backend_without_what_it_needs_is_refused_in_one_sentence(folder: Path, jobs: str, message: str) -> None:
    (folder / "dev.yml").write_text(f"extends: base\njobs: {jobs}\n")
    with pytest.raises(WindlassError) as refused:
        load_environments(folder)
    assert message in str(refused.value)


def test_what_is_as_usual_is_not_written_so_that_an_older_bundle_can_read_it(folder: Path) -> None:
    written = load_environments(folder)["dev"].runtime.model_dump(mode="json")
    assert written["jobs"] == {"backend": "local"}
    assert written["flavors"] == {"small": {"cpus": 1, "memory": "1Gi", "gpus": 0}}


def test_what_jobs_need_comes_back_from_what_was_written(folder: Path) -> None:
    jobs = "{backend: kubernetes, stage_image: s, namespace: n, start_within: 2 hours, tolerations: [{key: gpu}]}"
    (folder / "dev.yml").write_text(f"extends: base\njobs: {jobs}\nflavors: {{small: {{disk: 5Gi}}}}\n")
    runtime = load_environments(folder)["dev"].runtime
    assert RuntimeSettings.model_validate_json(runtime.model_dump_json()) == runtime
    assert runtime.model_dump(mode="json")["jobs"]["start_within"] == "2 hours"
