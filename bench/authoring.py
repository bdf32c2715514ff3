"""Lint and render of many pipelines in one process, and lint of one as a command, beside what the peers have.

`python -m bench.authoring once FOLDER` is the process that lints and renders all pipelines of a project.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import eight_tasks
from bench.landscape import Landscape
from bench.peers import AIRFLOW_CONFIG, DAG_FACTORY, python_of_peers
from bench.report import figure, ratio, table, write_part

PIPELINES, ROUNDS, COMMAND_ROUNDS = 1_000, 5, 7
TASKS = {"of Airflow": eight_tasks.windlass, "of windlass, with ports": eight_tasks.windlass_ports}

_ENVIRONMENT = """s3: {code: bench, models: bench, data: bench}
flavors: {cpu-1gb: {cpus: 1, memory: 1Gi}}
images: {python3-11: "python:3.11-slim"}
"""
_VALIDATE = (
    "import sys; from airflow_config import load_config; load_config('config', sys.argv[1], basepath=sys.argv[2])"
)


def measure(
    land: Landscape, rounds: int = ROUNDS, command_rounds: int = COMMAND_ROUNDS, count: int = PIPELINES
) -> None:
    """Measures and writes the part of the page."""
    head = ("tasks", "lint, each", "render, each", "both, each")
    many = table(head, _many(land, rounds, count))
    head = ("command, for one pipeline", "seconds, median (range)", "processor seconds", "times as long")
    one = table(head, _commands(land, command_rounds))
    write_part(
        "authoring",
        f"""{count:,} pipelines of eight tasks, linted and rendered in one process that has imported what it needs;
{rounds} rounds, each a process of its own. Those with ports differ in their schedules, names and texts, too.

{many}
The commands are whole processes, {command_rounds} rounds in turns, on the same pipeline of eight BashOperators; load
average {os.getloadavg()[0]:.1f}. `dagfactory lint` is that of dag-factory {DAG_FACTORY}. airflow-config
{AIRFLOW_CONFIG} has no lint, `load_config` reads and validates. Both are installed beside the same Airflow, which they
import.

{one}""",
    )


def write_project(folder: Path, names: Sequence[str], kind: str) -> None:
    """A project with an environment and these pipelines."""
    (folder / "environments").mkdir(parents=True)
    (folder / "environments/dev.yml").write_text(_ENVIRONMENT)
    (folder / "pipelines").mkdir()
    for name in names:
        (folder / f"pipelines/{name}.yml").write_text(TASKS[kind](name))


def _many(land: Landscape, rounds: int, count: int) -> list[tuple[object, ...]]:
    names = [eight_tasks.name_of(number) for number in range(count)]
    folders = {kind: land.scratch / f"authoring-{number}" for number, kind in enumerate(TASKS)}
    for kind, folder in folders.items():
        write_project(folder, names, kind)
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for kind, folder in folders.items():
            command = [sys.executable, "-m", "bench.authoring", "once", str(folder)]
            found.setdefault(kind, []).append(json.loads(_output(command, folder, land.variables())))
    rows: list[tuple[object, ...]] = []
    for kind, results in found.items():
        lint, render = ([one[what] / count * 1000 for one in results] for what in ("lint", "render"))
        both = [sum(pair) for pair in zip(lint, render, strict=True)]
        rows.append((kind, figure(lint, "ms"), figure(render, "ms"), figure(both, "ms")))
    return rows


def _once(folder: Path) -> dict[str, float]:
    """The seconds that lint and render take for the whole project."""
    import griffe  # noqa: F401 - which windlass imports when it first reads an operator

    import windlass.cli  # noqa: F401 - where commands say how often Python looks for garbage
    from windlass.lint.check import check_project
    from windlass.render.project import render_project

    count = len(list((folder / "pipelines").iterdir()))
    began = time.perf_counter()
    report = check_project(folder, None)
    linted = time.perf_counter()
    rendered = render_project(folder, "shop", report.pipelines, report.catalog, {})
    done = time.perf_counter()
    assert not report.problems, report.problems[:5]
    assert sum(path.startswith("dags/") for path in rendered.files) == count
    return {"lint": linted - began, "render": done - linted}


def _commands(land: Landscape, rounds: int) -> list[tuple[object, ...]]:
    python = python_of_peers(land.scratch)
    folder = land.scratch / "authoring-one"
    write_project(folder, ["shop"], "of Airflow")
    (folder / "config").mkdir()
    (folder / "config/shop.yaml").write_text(eight_tasks.airflow_config("shop"))
    (folder / "factory.yml").write_text(eight_tasks.dag_factory("shop"))
    commands = {
        "windlass lint": [str(Path(sys.executable).with_name("windlass")), "lint", "pipelines/shop.yml"],
        "dagfactory lint": [str(python.with_name("dagfactory")), "lint", "factory.yml"],
        "airflow-config, load_config": [str(python), "-c", _VALIDATE, "shop.yaml", str(folder / "config/shop.yaml")],
    }
    variables = land.variables() | {"AIRFLOW_HOME": str(land.scratch / "airflow"), "DO_NOT_TRACK": "true"}
    for command in commands.values():
        _timed(command, folder, variables)  # once unmeasured: byte code is written, files are in memory
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            found.setdefault(name, []).append(_timed(command, folder, variables))
    ours = [wall for wall, _ in found["windlass lint"]]
    rows: list[tuple[object, ...]] = []
    for name, results in found.items():
        walls, processor = [one[0] for one in results], [one[1] for one in results]
        rows.append((f"`{name}`", figure(walls), figure(processor), ratio(ours, walls) if walls != ours else "1"))
    return rows


def _timed(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[float, float]:
    """Seconds by the clock and of the processor, user and system."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    _output(command, folder, variables)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _output(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    print(json.dumps(_once(Path(sys.argv[2]))))
