"""Makes the release of the working tree in memory: lint, pin the models, render, pack."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli import context

if TYPE_CHECKING:
    from windlass.delivery.release.archive import Archive
    from windlass.lint.check import Report
    from windlass.spec.environment import Environment


def build_here(
    project: str, environments_dir: str | None, environments: Mapping[str, "Environment"], review: int | None = None
) -> "Archive":
    """The release of the project that the command stands in; exits with 1 when lint has something to say.

    With `review`, the release that the review of this merge request has: `project` is the review's name then.
    """
    from windlass.cli.lint import print_problems
    from windlass.delivery.release.build import build_release
    from windlass.lint.report import check_with_environments
    from windlass.render.project import render_project
    from windlass.render.review import review_pipelines
    from windlass.spec.errors import WindlassError

    folder = context.project_folder()
    elsewhere, report = check_with_environments(folder, environments_dir)
    if problems := [*elsewhere, *report.problems]:
        print_problems(problems)
        click.get_current_context().exit(1)
    if not report.pipelines:
        raise WindlassError("there is nothing to release: no pipelines/*.yml here")
    pins = expected_versions(folder, report, context.first(environments))
    pipelines = review_pipelines(report.pipelines, project, review) if review else report.pipelines
    rendered = render_project(folder, project, pipelines, report.catalog, pins, paused=review is not None)
    return build_release(rendered.files, rendered.manifest)


def expected_versions(folder: Path, report: "Report", first: "Environment") -> dict[str, str]:
    """The version of each model that the pipelines take, as the working tree and the training data make it."""
    from windlass.adapters.download import Downloads
    from windlass.training.versions import expected_version

    used = sorted({name for pipeline in report.pipelines.values() for name in pipeline.models})
    if not used:
        return {}
    digest = Downloads(context.buckets(first).endpoint).digest
    return {name: expected_version(folder, name, report.models[name], digest) for name in used}
