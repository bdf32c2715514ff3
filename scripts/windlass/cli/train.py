"""`windlass train`: trains the project's models where their inputs have changed, and keeps those that pass."""

import os
from typing import TYPE_CHECKING

import click

from windlass.cli import console, context

if TYPE_CHECKING:
    from windlass.spec.environment import Environment
    from windlass.spec.model import Model
    from windlass.spec.store import Store
    from windlass.training.train import Origin, Outcome


@click.command("train")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
@click.option("--child-pipeline", "child", metavar="FILE", help="Train nothing: write a GitLab pipeline that does.")
@click.option("--metrics", "report", metavar="FILE", help="Also write the metrics for GitLab, which compares them.")
@context.environments_option
@context.project_option
@context.json_option
def command(
    names: tuple[str, ...],
    child: str | None,
    report: str | None,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Train models and keep those that pass their gates.

    Takes all models of the project, or those that are named. A version is named by the hash of its code, data,
    parameters, image and script: one that is kept already is not trained again. Tests run first, gates decide
    last, and a model that is refused leaves nothing in the bucket. Versions are kept in the environment without
    upstream; promotion lifts them from there.

    With --child-pipeline FILE each model gets a job of its own there, on the runner and in the image that its flavor
    has in `runners` of that environment; ci/train.yml runs it.

    \b
    Examples:
      windlass train
      windlass train digits
      windlass train --json
      windlass train --child-pipeline windlass-train.yml
    """
    from windlass.adapters.download import Downloads
    from windlass.training.models import load_models
    from windlass.training.train import Workshop, train

    folder = context.project_folder()
    models = load_models(folder, names)
    if child:
        _write_child(child, models, environments_dir, context.project(project_given))
        return
    if not models:
        console.step("this project has no models/*.yml; nothing to train")
        _conclude([], report, as_json)
        return
    environment = context.first(context.environments(environments_dir))
    store, source = context.store(environment, "models"), Downloads(context.buckets(environment).endpoint)
    live_versions, origin = _live_versions(environment, context.project(project_given)), _origin()
    workshop = Workshop(source, store, environment.prefix, console.step)
    outcomes = []
    for name, model in models.items():
        console.step(f"model {name}")
        live = _metrics(store, environment.prefix, name, live_versions.get(name))
        outcomes.append(train(folder, name, model, workshop, origin, live))
    _conclude(outcomes, report, as_json)
    if any(outcome.reasons for outcome in outcomes):
        click.get_current_context().exit(1)


def _origin() -> "Origin":
    from datetime import UTC, datetime

    from windlass.adapters import git
    from windlass.training.train import Origin

    commit = os.environ.get("CI_COMMIT_SHA") or git.commit(context.project_folder())
    return Origin(commit, os.environ.get("CI_JOB_URL"), datetime.now(UTC).isoformat(timespec="seconds"))


def _live_versions(environment: "Environment", project: str) -> dict[str, str]:
    """The models that are live in the environment, by name with their version."""
    from windlass.delivery.history.states import load_current

    state = load_current(context.store(environment, "code"), environment.prefix).state
    return dict(state.projects[project].models) if state and project in state.projects else {}


def _metrics(store: "Store", prefix: str, name: str, version: str | None) -> dict[str, float] | None:
    from windlass.training.kept import find_version

    kept = find_version(store, prefix, name, version) if version else None
    return kept.metrics if kept else None


def _write_child(path: str, models: "dict[str, Model]", environments_dir: str | None, project: str) -> None:
    """Writes the pipeline with a job for each model; the rest of the jobs comes from where this one has it."""
    from pathlib import Path

    from windlass.training.child_pipeline import Template, child_pipeline

    runners = context.first(context.environments(environments_dir)).runners if models else {}
    template = Template(
        project,
        os.environ.get("WINDLASS_PLATFORM") or "platform/windlass",
        os.environ.get("WINDLASS_PLATFORM_REF") or "main",
        os.environ.get("WINDLASS_IMAGE") or "python:3.11",
        os.environ.get("WINDLASS_TRAIN_OVERRIDES") or "",
    )
    Path(path).write_text(child_pipeline(models, runners, template), encoding="utf-8")
    console.step(f"{path}: {len(models)} {'model' if len(models) == 1 else 'models'}")


def _conclude(outcomes: list["Outcome"], report: str | None, as_json: bool) -> None:
    """Prints what became of each model, and writes their metrics for GitLab."""
    from dataclasses import asdict
    from pathlib import Path

    from windlass.training.child_pipeline import metrics_report

    if report:
        measured = metrics_report({outcome.model: outcome.metrics for outcome in outcomes})
        Path(report).write_text(measured, encoding="utf-8")
    if as_json:
        console.print_json([asdict(outcome) for outcome in outcomes])
        return
    table = console.table("model", "version", "metrics", "gates", "seconds", "")
    for outcome in outcomes:
        metrics = ", ".join(f"{name} {value:g}" for name, value in sorted(outcome.metrics.items()))
        gates = "refused" if outcome.reasons else "passed"
        done = "trained" if outcome.trained else "already there"
        table.add_row(outcome.model, outcome.version, metrics, gates, f"{outcome.seconds:.1f}", done)
    if outcomes:
        console.out.print(table, markup=False)
    for outcome in outcomes:
        for reason in outcome.reasons:
            console.fail(f"model {outcome.model}: {reason}")
