"""What Airflow pays to read pipelines: at the start of each task, and when the DAG processor reads all of them once.

`python bench/parsing.py once FOLDER FILE ROUNDS` is the measured process, which runs in the Python of the peers: it
forks for each file and for each task as Airflow does, so that no import of one is there for the next.
"""

import gc
import json
import os
import resource
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.landscape import Landscape

ROUNDS: Mapping[int, tuple[int, int]] = {10: (5, 3), 100: (5, 1), 1_000: (2, 1)}
"""How many task starts and how many cycles for so many pipelines; a cycle is over many files already."""


def measure(land: "Landscape", rounds: Mapping[int, tuple[int, int]] = ROUNDS) -> None:
    """Measures and writes the part of the page."""
    from bench.eight_tasks import KINDS
    from bench.peers import DAG_FACTORY, python_of_peers
    from bench.report import figure, ratio, table, write_part

    python = python_of_peers(land.scratch)
    rows: list[tuple[object, ...]] = []
    for size, (starts, cycles) in rounds.items():
        found: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
        folders = {kind: _write(land.scratch / f"parsing-{size}-{n}", kind, size) for n, kind in enumerate(KINDS)}
        for number in range(cycles):
            for kind in KINDS if number % 2 else reversed(KINDS):
                once = _measured(land, python, *folders[kind], starts if number == 0 else 0, size)
                for what, values in once.items():
                    found[kind].setdefault(what, []).extend(values)
        for kind, results in found.items():
            ours = found[KINDS[0]]
            cells = [
                cell
                for what in ("start", "cycle")
                for cell in (figure(results[what]), ratio(ours[what], results[what]) if kind != KINDS[0] else "1")
            ]
            rows.append((f"{size:,}", kind, *cells))
    head = ("pipelines", "written as", "a task's start", "times as long", "a full cycle", "times as long")
    write_part(
        "parsing",
        f"""Processor seconds, user and system, median (range). Each pipeline has the same eight BashOperators in three
groups.
`a task's start` is what Airflow parses before each task, the file that has its DAG, in a fork of a process that has
imported Airflow. `a full cycle` is what the DAG processor does with every file once: look for imports of
Airflow's, fork, parse, serialise; without what it then writes to its database, which is the same for all. For
{", ".join(f"{size:,} pipelines {one} starts and {two} cycle{'s' * (two > 1)}" for size, (one, two) in rounds.items())}.
dag-factory is {DAG_FACTORY}; load average {os.getloadavg()[0]:.1f}.

{table(head, rows)}""",
    )


def _write(folder: Path, kind: str, size: int) -> tuple[Path, str]:
    """A bundle of so many pipelines; its folder, and the file that has the DAG in the middle."""
    from bench import eight_tasks

    names = [eight_tasks.name_of(number) for number in range(size)]
    middle = names[size // 2]
    if kind == "rendered":
        return folder, _render(folder, names, middle)
    (folder / "dags").mkdir(parents=True)
    for name in names:
        if kind == "hand-written":
            (folder / f"dags/{name}.py").write_text(eight_tasks.by_hand(name))
            continue
        (folder / f"dags/{name}.yml").write_text(eight_tasks.dag_factory(name))
        if kind.endswith("each"):
            (folder / f"dags/{name}.py").write_text(
                _loader(f'config_filepath=str(Path(__file__).parent / "{name}.yml")')
            )
    if kind.endswith("one loader"):
        (folder / "dags/all.py").write_text(_loader("dags_folder=str(Path(__file__).parent)"))
        return folder, "dags/all.py"
    return folder, f"dags/{middle}.py"


def _loader(where: str) -> str:
    """dag-factory's loader as its documentation has it; safe mode wants the words airflow and dag."""
    return f"""from pathlib import Path

from airflow.sdk import DAG
from dagfactory import load_yaml_dags

load_yaml_dags(globals_dict=globals(), {where}, defaults_config_path=str(Path(__file__).parent))
"""


def _render(folder: Path, names: list[str], middle: str) -> str:
    from bench.authoring import write_project
    from windlass.lint.check import check_project
    from windlass.render.project import render_project

    source = folder.with_name(f"{folder.name}-source")
    write_project(source, names, "of Airflow")
    report = check_project(source, None)
    for path, content in render_project(source, "shop", report.pipelines, report.catalog, {}).files.items():
        target = folder / "shop" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return f"shop/dags/{middle}.py"


def _measured(
    land: "Landscape", python: Path, folder: Path, file: str, starts: int, size: int
) -> dict[str, list[float]]:
    command = [str(python), str(Path(__file__)), "once", str(folder), file, str(starts)]
    variables = {name: value for name, value in land.variables().items() if name != "PYTHONPATH"} | {
        "AIRFLOW_HOME": str(land.scratch / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "DO_NOT_TRACK": "true",
    }
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    if result.pop("counts") != [size, 8 * size, 12 * size]:
        raise SystemExit(
            f"{folder}: not {size} DAGs of eight tasks and twelve edges\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
    return {what: values for what, values in result.items() if values}


def _once(folder: Path, file: str, starts: int) -> dict[str, Sequence[float]]:
    """The processor seconds of each task's start, of a cycle, and how many DAGs, tasks and edges the cycle found."""
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.sdk.execution_time import task_runner  # noqa: F401 - a task's process has it

    def start() -> list[int]:
        where = str(folder / file)
        bag = BundleDagBag(where, safe_mode=False, load_op_links=False, bundle_path=folder, bundle_name="bench")
        assert bag.dags and not bag.import_errors, bag.import_errors
        return [len(bag.dags)]

    begins = [_in_fork(start)[0] for _ in range(starts)]  # before what only the DAG processor has imported

    import structlog
    from airflow.dag_processing import manager, processor  # noqa: F401 - the process that forks is the manager's

    gc.freeze()  # as the manager does: the children do not collect what it has imported
    found = [0, 0, 0]
    before = _processor_seconds()
    for path in sorted(folder.glob("**/dags/*.py")):
        processor._pre_import_airflow_modules(str(path), structlog.get_logger())
        for place, count in enumerate(_in_fork(partial(_processed, folder, path))[1]):
            found[place] += count
    return {"start": begins, "cycle": [_processor_seconds() - before], "counts": found}


def _processed(folder: Path, path: Path) -> list[int]:
    """What the processor's child does with one file: how many DAGs, tasks and edges there are."""
    import structlog
    from airflow.dag_processing import processor

    request = processor.DagFileParseRequest(file=str(path), bundle_path=folder, bundle_name="bench")
    result = processor._parse_file(request, structlog.get_logger())
    assert result is not None and not result.import_errors, result
    result.model_dump_json()  # it goes to the parent through a pipe
    tasks = [task["__var"] for one in result.serialized_dags for task in one.data["dag"]["tasks"]]
    return [len(result.serialized_dags), len(tasks), sum(len(task.get("downstream_task_ids", ())) for task in tasks)]


def _in_fork(act: Callable[[], list[int]]) -> tuple[float, Any]:
    """The processor seconds that `act` takes in a child, its fork included, and what it returns."""
    read, write = os.pipe()
    before = _processor_seconds()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.write(write, json.dumps(act()).encode())
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    os.close(write)
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit("a child could not read its file; what it says is above")
    with os.fdopen(read) as answer:
        return _processor_seconds() - before, json.load(answer)


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "client"
    print(json.dumps(_once(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
