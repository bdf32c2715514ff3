"""A rendered pipeline in a run of a real Airflow: what is mapped, split, chosen, skipped and taken down."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.operators.staged import Ran, release_files, run_dag, stage
from windlass.catalog.read import read_catalog
from windlass.render.dag import render_dag
from windlass.render.surroundings import Surroundings
from windlass.spec.document import parse_document
from windlass.spec.pipeline import read_pipeline

pytestmark = pytest.mark.airflow

FLOW = Path(__file__).with_name("flow.yml")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with moto_server("code", "models", "data") as endpoint:
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        )
        people = b"name,age\na,1\nb,2\nc,3\nd,4\ne,5\n"
        for key, content in {"people": people, "2025": b"x\n", "2026": b"xyz\n"}.items():
            client.put_object(Bucket="data", Key=f"dev/incoming/{key}.csv", Body=content)
        client.endpoint = endpoint
        yield client


@pytest.fixture(scope="module")
def ran(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    document = parse_document("pipelines/flow.yml", FLOW.read_bytes())
    pipeline = read_pipeline(document)
    assert pipeline is not None, document.problems
    folder = tmp_path_factory.mktemp("flow")
    catalog = read_catalog(folder, {"s3_to_file", "deliver"})
    source = render_dag(pipeline, "pipelines/flow.yml", Surroundings("probe", catalog))
    root = stage(folder / "bundle", "probe", release_files(source), s3.endpoint)
    return run_dag(root, "flow", folder / "home")


def delivered(s3: Any, name: str) -> bytes:
    content: bytes = s3.get_object(Bucket="data", Key=f"dev/delivered/{name}")["Body"].read()
    return content


def test_a_split_task_runs_for_each_part_and_its_output_is_whole_again(ran: Ran, s3: Any) -> None:
    assert delivered(s3, "upper.csv") == b"NAME,AGE\nA,1\nB,2\nC,3\nD,4\nE,5\n"
    assert ran.log.count("fetched input data to") >= 3


def test_a_mapped_task_gets_each_item_as_one_word_and_its_outputs_are_a_list(ran: Ran, s3: Any) -> None:
    assert delivered(s3, "delta.txt") == b"a b\nc;d\n$(id)\n2\n4\n"


def test_templates_are_filled_in_where_several_arguments_hold_the_item(ran: Ran) -> None:
    assert (ran.states["work.both__each"], ran.states["work.both"]) == ("success", "success")


def test_what_a_file_holds_is_never_a_template_and_what_the_pipeline_says_is(ran: Ran) -> None:
    assert (ran.states["work.data_is_no_code"], ran.states["work.written_is_code"]) == ("success", "success")


def test_a_branch_skips_what_it_names_and_did_not_choose_and_nothing_else(ran: Ran) -> None:
    found = {task: ran.states[f"load.{task}"] for task in ("full", "delta", "always", "only", "skip", "after")}
    assert found == {
        "full": "skipped",
        "delta": "success",
        "always": "success",
        "only": "skipped",
        "skip": "skipped",
        "after": "success",
    }


def test_a_file_that_is_not_as_it_must_be_is_not_passed_on_and_others_are_counted(ran: Ran) -> None:
    assert (ran.states["done.wrong"], ran.states["done.takes_wrong"]) == ("failed", "upstream_failed")
    assert "output 'rows' (wrong.csv), row 2: column 'id' is '1.7', more than 1" in ran.log
    assert ran.log.count("output out: 2 rows are as they must be") == 2  # of each part; the last has one
    assert "output data: 5 rows are as they must be" in ran.log


def test_a_teardown_runs_although_the_work_failed(ran: Ran) -> None:
    assert {task: ran.states[f"done.{task}"] for task in ("made", "fails", "away")} == {
        "made": "success",
        "fails": "failed",
        "away": "success",
    }
