"""`windlass test`: runs the tests that the project's models name."""

import click

from windlass.cli import console, context


@click.command("test")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
@context.json_option
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Run the tests of models.

    Takes all models of the project, or those that are named, and runs the command that each has under `tests`: in a
    fresh copy of the project and without the credentials of this shell, as `windlass train` does before training.

    \b
    Examples:
      windlass test
      windlass test digits
    """
    from windlass.training.models import load_models
    from windlass.training.testing import run_tests

    folder = context.project_folder()
    results = []
    for name, model in load_models(folder, names).items():
        if model.tests is None:
            console.warn(f"models/{name}.yml names no tests")
            continue
        console.step(f"{name}: {model.tests}")
        finished = run_tests(folder, model.tests, console.step)
        results.append({"model": name, "seconds": round(finished.seconds, 3), "reason": finished.reason})
    if as_json:
        console.print_json(results)
    for result in results:
        if result["reason"]:
            console.fail(f"model {result['model']}: the test run {result['reason']}")
        elif not as_json:
            console.say(f"model {result['model']}: the test run ended well after {result['seconds']} seconds")
    if not results:
        console.step("there are no tests to run")
    if any(result["reason"] for result in results):
        click.get_current_context().exit(1)
