"""`windlass run` checks what a pipeline says about the rows of outputs, as Airflow does."""

from pathlib import Path

from tests.jobs.laptop import Laptop, job

SCRIPT = "(echo id,score; sed 1d {data} | sed s/$/,0.5/) > {scores}"
CHECKED = (
    ", inputs: {data: extract.clients.data}, split: {input: data, rows: 2}, outputs: {scores: {file: scores.csv, "
    "rows: {at_least: 3}, columns: {id: integer, score: {type: number, at_most: 1}}, unique: [id]}}"
)
PIPELINE = f"""
  extract:
    clients: {{operator_type: s3_to_file, key: incoming/clients.csv, outputs: {{data: clients.csv}}}}
  transform:
    score: {job(SCRIPT, CHECKED)}
    lines:
      operator_type: convert
      inputs: {{data: transform.score.scores}}
      outputs: {{made: {{file: lines.jsonl, columns: {{id: {{type: integer, at_most: 3}}}}}}}}
"""


def test_files_that_are_not_as_they_must_be_end_the_task_that_leaves_them(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path)
    laptop.pipeline("scores", PIPELINE)
    for name, rows, said in (
        ("merged", "1\n2\n1\n", "output 'scores' (scores.csv), row 3 has the same id '1' as row 1"),
        ("converted", "1\n2\n4\n", "output 'made' (lines.jsonl), row 3: column 'id' is 4, more than 3"),
    ):
        laptop.write(f"{name}.csv", f"id\n{rows}")
        ran = laptop.run("scores", "--input", f"data={name}.csv", "--json")
        assert ran.code == 1, ran.err
        assert said in str([task.get("note") for task in ran.json["tasks"].values()]) + ran.err
