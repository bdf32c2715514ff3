"""What `windlass run` shows: the plan, what tasks print while they run, and a table in the end."""

from typing import TYPE_CHECKING, Any

from windlass.cli import console

if TYPE_CHECKING:
    from windlass.cli.run_setup import Ready
    from windlass.jobs.pipeline_run import Outcome
    from windlass.jobs.run_plan import RunPlan

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red")
_STATES = {"success": "green", "failed": "bold red", "upstream_failed": "red", "skipped": "dim"}


def show_plan(plan: "RunPlan", as_json: bool) -> None:
    """Prints what would run, and what is missing for that."""
    from windlass.jobs.run_plan import asked

    missing = [asked(need, alone=plan.alone) for need in plan.missing]
    if as_json:
        found = {"tasks": plan.tasks, "given": plan.given, "absent": plan.absent, "missing": missing}
        console.print_json(found)
        return
    for word, names in (("runs", plan.tasks), ("given", plan.given), ("not on a laptop", plan.absent)):
        for name in names:
            console.say(f"{word}: {name}")
    for line in missing:
        console.say(f"missing: {line}")


def watch(ready: "Ready") -> bool:
    """Runs it and shows on standard error what happens; whether all ended well. On Ctrl-C says where things are."""
    from windlass.jobs.record import document, write_record

    run, folder = ready.run, ready.run.around.run.folder
    ready.listeners.append(_printer(ready.plan))
    run.on_end = _said
    try:
        run.go()
    except KeyboardInterrupt:
        console.warn(f"the run was interrupted and all of its jobs were ended; what there is lies in {folder}")
        raise
    finally:
        context = run.around.run
        write_record(folder, document(context.pipeline, context.run_id, run.outcomes.values(), run.plan.values))
    return not failed(ready)


def failed(ready: "Ready") -> "list[Outcome]":
    """The tasks for which the run counts as failed: as in Airflow, a teardown is none of them."""
    tasks = ready.plan.pipeline.task_ids
    bad = ("failed", "upstream_failed")
    return [each for each in ready.run.outcomes.values() if each.state in bad and tasks[each.task].teardown is None]


def report(ready: "Ready", as_json: bool) -> None:
    """Prints the table, or the run as JSON; then why tasks did not end well, and where their output is."""
    from windlass.jobs.record import document

    run, context = ready.run, ready.run.around.run
    outcomes = [run.outcomes[name] for name in ready.plan.pipeline.task_ids if name in run.outcomes]
    if as_json:
        found = document(context.pipeline, context.run_id, outcomes, run.plan.values)
        console.print_json({**found, "folder": str(context.folder), "ended_well": not failed(ready)})
    else:
        table = console.table("task", "state", "seconds", "memory", "outputs")
        for each in outcomes:
            times = f" x {each.times}" if each.times > 1 else ""
            seconds = f"{each.seconds:.1f}" if each.seconds else ""
            memory = f"{each.peak / 1e6:.0f} MB" if each.peak else ""
            state = each.note if each.note and each.state == "success" else each.state
            style = _STATES[each.state] if console.out.is_terminal else None
            table.add_row(each.task, _styled(state + times, style), seconds, memory, _files(each))
        console.out.print(table, markup=False)
        console.say(f"the run lies in {context.folder}")
    for each in outcomes:
        if each.state == "failed":
            console.fail(f"task {each.task}: {each.note}" + (f"; its log: {each.log}" if each.log else ""))


def _styled(text: str, style: str | None) -> Any:
    from rich.text import Text

    return Text(text, style=style or "")


def _files(outcome: "Outcome") -> str:
    from windlass.jobs.record import left_by

    shown = []
    for port, files in left_by(outcome).items():
        rows = [left.rows for left in files if left.rows is not None]
        size = _size(sum(left.size for left in files))
        count = f"{len(files)} files, " if len(files) > 1 else ""
        shown.append(f"{port} ({count}{f'{sum(rows)} rows, ' if rows else ''}{size})")
    return ", ".join(shown)


def _size(count: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000 or unit == "MB":
            return f"{count:.0f} {unit}"
        count //= 1000
    return str(count)


def _said(outcome: "Outcome") -> None:
    what = outcome.note if outcome.state == "failed" else outcome.state
    console.step(f"[{outcome.task}] {what}" + (f" after {outcome.seconds:.1f} seconds" if outcome.seconds else ""))


def _printer(plan: "RunPlan") -> Any:
    """Prints a task's line behind its name, each task's name in a colour of its own on a terminal."""
    from rich.text import Text

    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(plan.tasks)}

    def see(where: str, line: str) -> None:
        if not console.err.is_terminal:
            console.step(f"[{where}] {line}")
            return
        harmless = "".join(one if one.isprintable() or one == "\t" else "\ufffd" for one in line)
        prefix = Text(f"[{where}] ", style=colours.get(where.partition("[")[0], "dim"))
        console.err.print(prefix + Text(harmless), markup=False, emoji=False)

    return see
