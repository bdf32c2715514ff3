"""A project with a job, a model and contract tests, and `windlass test` in it."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from windlass.cli.main import windlass

from .laptop import Laptop, job

SCORE = job(
    "{model}/score.sh {clients} > {scores}",
    ", inputs: {clients: extract.clients.data, model: model:names}, outputs: {scores: scores.csv}",
)
MODEL = """\
data: {names: "s3://data/names.csv"}
code: [train.sh]
train:
  resource_flavor: cpu-1gb
  docker_image: python3-11
  execution_time: 1 minute
  execution_script: sh train.sh {names} {model} {metrics}
outputs: {model: names.txt, metrics: metrics.json}
files: [score.sh]
"""
SCORE_SH = """\
#!/bin/sh
grep -q '^id,name$' "$1" || { echo 'column name is missing' >&2; exit 3; }
echo "id,score"
tail -n +2 "$1" | while IFS=, read id name; do echo "$id,$(cat "${0%/*}/names.txt")"; done
"""


class CaseProject(Laptop):
    """Its job writes `id,score` for each client, with the number in the model's file; a case is written by `case`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.write("score.sh", SCORE_SH)
        (folder / "score.sh").chmod(0o755)
        self.write("train.sh", "wc -l < $1 > $2; echo '{\"accuracy\": 1}' > $3; echo trained\n")
        self.write("models/names.yml", MODEL)
        self.write("tests/data/names.csv", "name\na\nb\n")
        self.pipeline(
            "clients",
            "  extract: {clients: {operator_type: s3_to_file, key: a.csv, outputs: {data: clients.csv}}}\n"
            f"  transform:\n    score: {SCORE}\n    other: {job('echo x > {x}', ', outputs: {x: x.txt}')}\n",
            dag=", params: {limit: {type: integer, default: 3}}",
        )

    def case(self, name: str, case: str = "", task: str = "score", **files: str) -> str:
        """Writes a case, with clients and a model unless others are given: its path. `__` is `/`, `_DOT_` is `.`."""
        path = f"tests/jobs/clients/{task}/{name}"
        given = {"inputs__clients_DOT_csv": "id,name\n1,a\n2,b\n", "inputs__model__names_DOT_txt": "7\n"} | files
        for file, content in given.items():
            if content:
                self.write(f"{path}/{file.replace('__', '/').replace('_DOT_', '.')}", content)
        if case:
            self.write(f"{path}/case.yml", case)
        return path

    def test(self, monkeypatch: Any, *arguments: str) -> "Said":
        monkeypatch.chdir(self.folder)
        result = CliRunner().invoke(windlass, ["test", *arguments], env={"WINDLASS_ENVIRONMENTS": ""})
        if result.exception and not isinstance(result.exception, SystemExit):
            return Said(2, result.stdout, f"{result.stderr}{result.exception}")
        return Said(result.exit_code, result.stdout, result.stderr)


class Said:
    """What a command said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def problems(self) -> dict[str, list[str]]:
        """The problems of each case in the JSON."""
        assert self.out.startswith("{"), self.out + self.err
        return {case["case"].rpartition("/")[2]: case["problems"] for case in json.loads(self.out)["cases"]}
