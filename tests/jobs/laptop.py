"""A project on a laptop, and `windlass run` in it as a shell sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ENVIRONMENT = "s3: {code: code, models: models, data: data, endpoint: http://127.0.0.1:1}\n"
FLAVORS = "flavors: {cpu-1gb: {cpus: 1, memory: 1Gi}}\nimages: {python3-11: 'python:3.11-slim'}\n"
MODEL = """
description: A model.
data: {train: s3://data/train.csv}
code: [train.py]
train:
  docker_image: python3-11
  resource_flavor: cpu-1gb
  execution_time: 1 minute
  execution_script: "cp {train} {model}; echo > {metrics}"
outputs: {model: m.txt, metrics: metrics.json}
gates: {accuracy: {at_least: 0.5}}
"""
COMMAND = [sys.executable, "-c", "from windlass.cli.main import main; main()", "run"]


class Laptop:
    """A folder with pipelines and an environment `dev`; nothing of the shell but PATH is in the variables."""

    def __init__(self, folder: Path, environment: str = ENVIRONMENT) -> None:
        self.folder = folder
        self.write("environments/dev.yml", environment + FLAVORS)

    def write(self, path: str, content: str) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        return target

    def pipeline(self, name: str, tasks: str, dag: str = "") -> None:
        self.write(f"pipelines/{name}.yml", f"dag: {{name: {name}, base_resource: cpu-1gb{dag}}}\ntasks:\n{tasks}")

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], **variables}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([*COMMAND, *arguments], cwd=self.folder, env=environment, **pipes)

    def run(self, *arguments: str, **variables: str) -> "Ran":
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=120)
        return Ran(process.returncode, out, err)


class Ran:
    """A command that has ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        assert self.out.startswith("{"), self.out + self.err
        return json.loads(self.out)

    def states(self) -> dict[str, str]:
        return {name: task["state"] for name, task in self.json["tasks"].items()}


def job(script: str, more: str = "", limit: str = "1 minute") -> str:
    """A job in one line of YAML."""
    run = f"{{docker_image: python3-11, execution_time: {limit}, execution_script: {json.dumps(script)}}}"
    return f"{{job: {run}{more}}}"
