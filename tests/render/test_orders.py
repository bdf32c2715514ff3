"""No order that a pipeline says gets lost among the tasks that windlass adds."""

from pathlib import Path

from windlass.catalog.read import read_catalog
from windlass.render.dag import render_dag
from windlass.render.surroundings import Surroundings
from windlass.spec.document import parse_document
from windlass.spec.pipeline import read_pipeline

PIPELINE = """
dag: {name: orders, base_resource: cpu-1gb}
tasks:
  a:
    list: {job: &job {docker_image: i, execution_time: 1 minute, execution_script: x}, outputs: {o: a.json}, needs: []}
    more: {job: *job, outputs: {o: a.csv}, needs: []}
    z: {job: *job, needs: []}
    z__y: {job: *job, inputs: {d: a.more.o}, outputs: {o: o.csv}, split: {input: d, rows: 3}}
  b:
    after: {job: *job, inputs: {d: a.z__y.o}, needs: [a.z]}
    each:
      job: {docker_image: i, execution_time: 1 minute, execution_script: "x {item} {d}"}
      inputs: {d: a.more.o}
      for_each: {as: item, in: a.list.o}
"""


def orders(folder: Path) -> list[str]:
    document = parse_document("pipelines/orders.yml", PIPELINE.encode())
    pipeline = read_pipeline(document)
    assert pipeline is not None, document.problems
    text = render_dag(pipeline, "pipelines/orders.yml", Surroundings("probe", read_catalog(folder, set())))
    return [line.strip() for line in text.splitlines() if " >> " in line]


def test_a_task_whose_name_begins_like_that_of_a_split_one_is_waited_for(tmp_path: Path) -> None:
    assert "a_z >> b_after" in orders(tmp_path)


def test_the_first_of_several_tasks_waits_for_all_that_the_task_takes(tmp_path: Path) -> None:
    assert "a_more >> b_each__each" in orders(tmp_path)
