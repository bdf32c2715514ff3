"""What `windlass test` shows: the cases, their results, and a JUnit report."""

from pathlib import Path
from typing import Any

from windlass.cli import console
from windlass.cli.test_run import Chosen, Done
from windlass.jobs.contract import Result
from windlass.jobs.junit import Test, junit_xml
from windlass.spec.errors import WindlassError


def show_list(chosen: Chosen, as_json: bool) -> None:
    """Prints the models that have tests, the cases, and the jobs that have none."""
    models = [name for name, model in chosen.models.items() if model.tests]
    if as_json:
        cases = [{"case": one.name, "path": one.file.path} for one in chosen.contracts]
        console.print_json({"models": models, "cases": cases, "without_case": chosen.without})
        return
    for name in models:
        console.say(f"model {name}")
    for one in chosen.contracts:
        text = one.file.case.description
        console.say(f"{one.name}  {text}" if text else one.name)
    _say_without(chosen.without)


def report(done: Done, as_json: bool) -> None:
    """Prints what did not pass with its reasons, and a line that counts; or all of it as JSON."""
    if as_json:
        console.print_json(
            {
                "models": [
                    {"model": one.model, "seconds": round(one.seconds, 3), "reason": one.reason} for one in done.models
                ],
                "cases": [_plain(result) for result in done.cases],
                "without_case": done.without,
            }
        )
    for one in done.models:
        if one.reason:
            console.fail(f"model {one.model}: the test run {one.reason}")
        elif not as_json:
            console.say(f"model {one.model}: the test run ended well after {one.seconds:.1f} seconds")
    failed = [result for result in done.cases if result.problems]
    for result in failed:
        _show_failed(result)
    if as_json:
        return
    if done.cases:
        passed = len(done.cases) - len(failed)
        console.say(
            f"{len(done.cases)} case{'' if len(done.cases) == 1 else 's'}: {passed} passed, {len(failed)} failed"
        )
    _say_without(done.without)
    if not done.models and not done.cases:
        console.step("there are no tests to run")


def write_junit(path: Path, done: Done) -> None:
    """Writes one report with the tests of the models and the cases."""
    models = [
        Test(
            f"models.{one.model}",
            "tests",
            f"models/{one.model}.yml",
            one.seconds,
            (f"the test run {one.reason}",) if one.reason else (),
            one.lines if one.reason else (),
        )
        for one in done.models
    ]
    cases = [
        Test(
            f"{one.contract.file.pipeline}.{one.contract.task_id}",
            one.contract.file.name,
            one.contract.file.path,
            one.seconds,
            one.problems,
            one.lines,
        )
        for one in done.cases
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(junit_xml([*models, *cases]), encoding="utf-8")
    except OSError as error:
        raise WindlassError(f"--junit: {str(path)!r} cannot be written: {error.strerror}") from error


def _plain(result: Result) -> dict[str, Any]:
    return {
        "case": result.contract.name,
        "path": result.contract.file.path,
        "passed": not result.problems,
        "seconds": round(result.seconds, 3),
        "problems": list(result.problems),
        "accepted": list(result.accepted),
    }


def _show_failed(result: Result) -> None:
    for reason in result.problems:
        first, *rest = reason.splitlines()
        console.fail(f"{result.contract.name}: {first}")
        for line in rest:
            console.step(f"    {line}")
    if result.lines and not result.contract.file.case.fails:
        console.step("  the job printed last:")
        for line in list(result.lines)[-5:]:
            console.step(f"    {line}")


def _say_without(names: list[str]) -> None:
    for name in names:
        console.say(f"no case: {name}")
