"""`windlass check`: has the real Airflow load the DAGs, and says at the YAML's line what it does not like."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windlass.cli.context import environments_option, project_option
from windlass.cli.lint import FORMATS
from windlass.cli.render import select

if TYPE_CHECKING:
    from windlass.adapters.airflow_check import Limits
    from windlass.cli.checking import Checked
    from windlass.lint.check import Report
    from windlass.lint.findings import Findings
    from windlass.spec.pipeline import Pipeline
    from windlass.spec.problem import Problem


@click.command("check", short_help="Load the DAGs in the real Airflow.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option("--timeout", type=click.FloatRange(min=1), default=30.0, show_default=True, help="Seconds for each DAG.")
@click.option("--memory", type=click.IntRange(min=64), default=2048, show_default=True, help="MiB for each DAG.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output", type=click.Path(dir_okay=False), help="Write the format to this file, and text to the terminal."
)
@project_option
@environments_option
def command(
    paths: tuple[str, ...],
    timeout: float,
    memory: int,
    form: str,
    as_json: bool,
    output: str | None,
    project_given: str | None,
    environments_dir: str | None,
) -> None:
    """Renders the pipelines in PATHS, or all of the project here, and loads the DAGs in the Airflow installed here.

    Own operators are imported, in processes without network and credentials. What Airflow refuses, what it would see
    in another way each time, and DAGs that take long to import are told at the line of the YAML or of the operator.
    Exits with 1 when there are problems; slow DAGs are only warned of. docs/editors.md explains each rule.

    \b
    Examples:
      windlass check
      windlass check pipelines/read_digits.yml --json
      windlass check --format junit --output check.xml
    """
    from windlass.adapters.airflow_check import Limits
    from windlass.cli import console, context
    from windlass.cli.lint import report as report_findings
    from windlass.lint.findings import Findings
    from windlass.lint.report import check_with_environments

    folder, slow, isolation = context.project_folder(), list["Problem"](), ""
    elsewhere, report = check_with_environments(folder, environments_dir)
    problems = [*elsewhere, *report.problems]
    if not problems:
        limits = Limits(timeout, memory * 1024 * 1024)
        problems, slow, isolation = _check(folder, context.project(project_given), report, paths, limits)
    for problem in slow:
        console.warn(str(problem))
    if isolation:
        console.step(f"kept from the network by {isolation}")
    findings = Findings(problems, list(select(report.pipelines, paths, folder)), report.texts, tool="windlass check")
    if (form == "json" or as_json) and not output:
        console.print_json(_data(findings, slow, isolation))
    else:
        report_findings(findings, "json" if as_json else form, output)
    if problems:
        click.get_current_context().exit(1)


def _check(
    folder: Path, project: str, report: "Report", paths: tuple[str, ...], limits: "Limits"
) -> "tuple[list[Problem], list[Problem], str]":
    """What is wrong, what is slow, and what kept the DAGs from the network."""
    from windlass.adapters.airflow_check import DagFile, load_dags, scratch_folder
    from windlass.cli.checking import judge

    with scratch_folder() as scratch:
        checked = _staged(folder, project, select(report.pipelines, paths, folder), report, scratch)
        loaded = load_dags([DagFile(one.root, one.path) for one in checked], scratch, limits)
    return *judge(checked, loaded), loaded.isolation


def _staged(
    folder: Path, project: str, pipelines: "Mapping[str, Pipeline]", report: "Report", scratch: Path
) -> "list[Checked]":
    """The DAGs as Airflow shall find them: with usual values, and once more in each environment that differs."""
    import json

    from windlass.cli.checking import Checked
    from windlass.render.project import render_project
    from windlass.spec.files import parse_file

    files = render_project(folder, project, pipelines, report.catalog, {}).files
    own = frozenset(name for name, operator in report.catalog.operators.items() if operator.own)
    checked: list[Checked] = []
    names: list[str | None] = [None, *sorted({name for one in pipelines.values() for name in one.variants})]
    for environment in names:
        root = scratch / f"bundle-{environment or 'usual'}"
        for path, content in files.items():
            target = root / project / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if environment:
            (root / "environment.json").write_text(json.dumps({"name": environment}))
        for path, pipeline in pipelines.items():
            if environment is None or environment in pipeline.variants:
                document = parse_file(folder, path)
                document = (report.shelf and report.shelf.assembled(document)) or document
                source = files[f"dags/{pipeline.dag.name}.py"].decode()
                checked.append(Checked(document, pipeline.dag.name, source, root, project, own, environment))
    return checked


def _data(findings: "Findings", slow: "list[Problem]", isolation: str) -> dict[str, Any]:
    """Lint's JSON, with what is slow and how the network was kept away."""
    found = [
        [
            {"path": one.path, "line": one.line, "column": one.column, "message": one.message, "rule": one.rule}
            for one in each
        ]
        for each in (findings.problems, slow)
    ]
    return {"files": findings.files, "problems": found[0], "slow": found[1], "isolation": isolation}
