"""`make demo`: the example's delivery from a merge request to production on this machine, and what it delivered there.

It is made of two commands, `windlass stack up` and `windlass rehearse`; all else here is the example's data, the run in
prod at the end and the table of what took how long.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from windlass.adapters.airflow import AirflowApi
from windlass.adapters.s3 import open_bucket
from windlass.cli import console
from windlass.cli.rehearse import live
from windlass.spec.airflow import Run
from windlass.spec.environment import find_environment, load_environments, resolve
from windlass.spec.errors import DeliveryError, ServiceError, TransientError, WindlassError
from windlass.stack.event import EVENTS, MAIN
from windlass.stack.node import need_rsync
from windlass.stack.rehearsal import Rehearsal, rehearse
from windlass.stack.settings import ENVIRONMENTS
from windlass.stack.stack import Stack

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/digits"
DAG = "read_digits"
PATIENCE = 180.0
GO_ON = "make demo    goes on with what is there already\nmake down    stops everything; the data stay"


class Steps:
    """What was done so far, and how long each step took in seconds."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.done: list[tuple[str, str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Announces the step `name` and puts what is appended to the given list into the table."""
        headline(console.err, name, "cyan")
        began, results = time.monotonic(), list[str]()
        yield results
        self.done.append((name, ", ".join(results), time.monotonic() - began))

    def table(self) -> Table:
        """All steps for a person."""
        table = Table("step", "result", box=None, pad_edge=False, collapse_padding=True, header_style="bold")
        table.add_column("seconds", justify="right")
        for name, result, seconds in self.done:
            table.add_row(name, result, f"{seconds:.1f}")
        table.add_row("all", "", f"{time.monotonic() - self.began:.1f}", style="bold")
        return table


def main(home: Path) -> None:
    """Runs the whole demo below `home`; a second one reuses the stack and delivers one more change."""
    need_rsync(console.step)
    stack, steps = Stack(home / "stack", report=console.step, warn=console.warn), Steps()
    with steps.step("stack up") as results:
        stack.up(wait=False)
        results.append("S3 and GitLab; the Airflows start")
    with steps.step("repository and data") as results:
        repository = prepare_repository(home / "demo/digits")
        results.append(upload_data(stack, home / "demo/data"))
    for event in EVENTS:
        if event == MAIN:
            with steps.step("Airflows healthy") as results:
                stack.up()
                results.append(", ".join(ENVIRONMENTS))
        with steps.step(f"rehearse {event}") as results:
            rehearsal = rehearse(stack, repository, event, report=console.step, output=live)
            if not rehearsal.ok:
                raise ServiceError(f"the {event} pipeline failed; its jobs' output is above")
            results.append(passed_jobs(rehearsal))
    with steps.step("run in prod") as results:
        key, rows = run_in_prod(stack)
        results.append(f"{DAG} delivered {len(rows) - 1} rows")
    report(stack, steps, key, rows)


def headline(stream: Console, text: str, colour: str) -> None:
    """Prints a line that stands out."""
    stream.print()
    stream.rule(f"[bold]{text}", align="left", style=f"bold {colour}")


def prepare_repository(folder: Path) -> Path:
    """The example as a git repository of its own with a new commit: the first one, or one more delivery."""
    number = 1
    if (folder / ".git").exists():
        number += int(_git(folder, "rev-list", "--count", "HEAD"))
    caches = shutil.ignore_patterns("__pycache__", ".*_cache")
    shutil.copytree(EXAMPLE, folder, ignore=caches, dirs_exist_ok=True)
    if number == 1:
        _git(folder, "init", "--quiet", "--initial-branch", "work")
    else:
        pipeline = folder / f"pipelines/{DAG}.yml"
        text = pipeline.read_text()
        pipeline.write_text(text.replace("that came in.", f"that came in; delivery {number}.", 1))
    _git(folder, "add", "--all")
    message = "Read handwritten digits" if number == 1 else f"Delivery {number}"
    identity = ("-c", "user.name=Demo", "-c", "user.email=demo@example.org")
    _git(folder, *identity, "commit", "--quiet", "--allow-empty", "--message", message)
    console.step(f"committed {message!r} in {folder}")
    return folder


def upload_data(stack: Stack, folder: Path) -> str:
    """Puts training data into dev and a batch of images into each environment; says how much that was."""
    # in a process group of its own: Ctrl-C reaches this process alone, which then ends the other
    subprocess.run([sys.executable, "make_data.py", "--out", folder], cwd=EXAMPLE, check=True, process_group=0)
    use_as_operator(stack)
    bucket = open_bucket("windlass-data")
    sources = {"dev/datasets/digits/train.csv": "train.csv", "dev/datasets/digits/holdout.csv": "holdout.csv"}
    sources |= {f"{environment}/incoming/digits/batch.csv": "incoming/batch.csv" for environment in ENVIRONMENTS}
    for key, name in sources.items():
        bucket.put(key, (folder / name).read_bytes())
    return f"{len(sources)} files in s3://windlass-data"


def use_as_operator(stack: Stack) -> None:
    """From here on this process is the person at the terminal, as after `eval "$(windlass stack env prod)"`."""
    os.environ.update(stack.operator_variables("prod"))


def passed_jobs(rehearsal: Rehearsal) -> str:
    """The jobs that passed, without the project's name."""
    ran = [job.name.partition(":")[2] for job in rehearsal.jobs if job.result == "passed"]
    return " ".join(ran)


def run_in_prod(stack: Stack) -> tuple[str, list[str]]:
    """Triggers the DAG in prod and waits for its end; the key and the lines of the file that it delivered."""
    prod = find_environment(load_environments(ROOT / "environments"), "prod")
    if prod.airflow is None:
        raise WindlassError("environments/prod.yml names no airflow")
    airflow = AirflowApi(resolve(prod.airflow, stack.airflow_login("prod"), "prod"), "prod")
    bucket = open_bucket(prod.s3.data)
    run = _triggered(airflow, f"demo__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}")
    console.step(f"triggered {run.run_id}")
    run = _wait_for(airflow, run)
    if run.state != "success":
        raise ServiceError(f"run {run.run_id} of {DAG} in prod is {run.state}; look into its log in Airflow")
    key = max(bucket.list(f"{prod.prefix}/delivered/digits/"))
    return f"s3://{prod.s3.data}/{key}", bucket.get(key).content.decode().splitlines()


def _triggered(airflow: AirflowApi, name: str) -> Run:
    """The run called `name`. An Airflow on SQLite may hold its answer back for a minute, though the run has begun."""
    try:
        return airflow.trigger(DAG, run_id=name)
    except TransientError as late:
        console.step(f"{late}; looking whether the run has begun")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return airflow.run(DAG, name)
        except DeliveryError:
            return airflow.trigger(DAG, run_id=name)
        except TransientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _wait_for(airflow: AirflowApi, run: Run) -> Run:
    deadline, shown = time.monotonic() + PATIENCE, ""
    while time.monotonic() < deadline:
        try:
            run = airflow.run(run.dag_id, run.run_id)
            tasks = airflow.task_runs(DAG, run.run_id)
        except TransientError as late:
            console.step(str(late))
            time.sleep(1)
            continue
        states = ", ".join(f"{task.task_id} {task.state or 'waiting'}" for task in tasks)
        if states != shown:
            console.step(f"{run.state}: {states}")
            shown = states
        if run.state in ("success", "failed"):
            return run
        time.sleep(1)
    raise TransientError(f"run {run.run_id} of {DAG} is still {run.state} after {PATIENCE:.0f} s")


def report(stack: Stack, steps: Steps, key: str, rows: list[str]) -> None:
    """Prints the delivered rows, the table of steps and where to look further."""
    headline(console.out, "delivered in prod", "green")
    console.say(key)
    for row in rows[:6]:
        console.say(f"  {row}")
    headline(console.out, "what happened", "green")
    console.out.print(steps.table())
    headline(console.out, "look around", "green")
    for environment in ENVIRONMENTS:
        login = stack.airflow_login(environment)
        name, password = login["WINDLASS_AIRFLOW_USERNAME"], login["WINDLASS_AIRFLOW_PASSWORD"]
        console.say(f"  {environment:<6} {login['WINDLASS_AIRFLOW_URL']}  log in as {name} with {password}")
    console.say('  eval "$(.venv/bin/windlass stack env prod)"; .venv/bin/windlass status')
    console.say("  make down    stops everything; the data stay and the next make demo delivers a change")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WindlassError(f"git {arguments[0]} in {folder}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.strip()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else ROOT / ".windlass")
    except WindlassError as stop:
        console.fail(str(stop))
        console.step(GO_ON)
        sys.exit(stop.exit_code)
    except KeyboardInterrupt:
        console.fail("interrupted")
        console.step(GO_ON)
        sys.exit(130)
