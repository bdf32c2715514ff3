"""All that windlass renders in this repository, as bundles: the golden files, the language page and the examples."""

import shutil
from pathlib import Path

from tests.render.golden_project import CASES, GOLDEN, PINS, PROJECT, STANDARD, golden_pipeline
from tests.render.test_language_page import EXAMPLES, FILES
from windlass.catalog.read import read_catalog
from windlass.lint.check import check_project
from windlass.render.project import RenderedProject, render_project
from windlass.spec.document import parse_document
from windlass.spec.pipeline import Pipeline, read_pipeline

from .environments import ROOT

FOLDERS = {
    "example_digits": ROOT / "examples/digits",
    "example_shop": ROOT / "examples/shop",
    "repository": ROOT,
    "scheduled": ROOT / "tests/airflow/scheduled",
}
FLOW = ROOT / "tests/render/flow.yml"
"""All that decides at run time, in one pipeline."""
Rendered = dict[str, tuple[RenderedProject, list[Pipeline]]]


def rendered_projects(scratch: Path) -> Rendered:
    """The projects by name, each with its pipelines."""
    return {
        "digits": _goldens(scratch / "goldens"),
        "language": _language_page(scratch / "language"),
        **{name: _linted(name, folder) for name, folder in FOLDERS.items()},
    }


def write_bundles(projects: Rendered, folder: Path) -> list[Path]:
    """A bundle for each project, because two of them may have DAGs of one name."""
    for name, (project, _) in projects.items():
        for path, content in project.files.items():
            target = folder / name / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return [folder / name for name in projects]


def flow(folder: Path) -> dict[str, bytes]:
    """The files of the release `probe`, whose one DAG is `flow`."""
    pipeline = read_pipeline(parse_document("pipelines/flow.yml", FLOW.read_bytes()))
    assert pipeline is not None
    (folder / "pipelines").mkdir()
    shutil.copy(FLOW, folder / "pipelines/flow.yml")
    catalog = read_catalog(folder, {"s3_to_file", "deliver"})
    made = render_project(folder, "probe", {"pipelines/flow.yml": pipeline}, catalog, {})
    return made.files | {"manifest.json": made.manifest.model_dump_json().encode()}


def _goldens(folder: Path) -> tuple[RenderedProject, list[Pipeline]]:
    shutil.copytree(PROJECT, folder)
    shutil.copytree(GOLDEN, folder / "pipelines", ignore=shutil.ignore_patterns("*.py"))
    pipelines = {f"pipelines/{case.name}": golden_pipeline(case) for case in CASES}
    catalog = read_catalog(folder, STANDARD)
    return render_project(folder, "digits", pipelines, catalog, PINS), list(pipelines.values())


def _language_page(folder: Path) -> tuple[RenderedProject, list[Pipeline]]:
    for path, content in (FILES | {f"pipelines/{name}.yml": text for name, text in EXAMPLES.items()}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return _linted("language", folder)


def _linted(name: str, folder: Path) -> tuple[RenderedProject, list[Pipeline]]:
    report = check_project(folder, None)
    assert report.problems == []
    assert report.pipelines
    return render_project(folder, name, report.pipelines, report.catalog, {}), list(report.pipelines.values())
