"""The golden pipelines as a project of their own, linted and rendered."""

from pathlib import Path

from windlass.catalog.read import read_catalog
from windlass.render.dag import render_dag
from windlass.spec.document import parse_document
from windlass.spec.pipeline import Pipeline, read_pipeline

GOLDEN = Path(__file__).parent / "golden"
PROJECT = Path(__file__).parent / "project"
CASES = sorted(GOLDEN.glob("*.yml"))
PINS = {"digits": "0123456789abcdef"}


def golden_pipeline(case: Path) -> Pipeline:
    """The pipeline of a golden case."""
    document = parse_document(f"pipelines/{case.name}", case.read_bytes())
    pipeline = read_pipeline(document)
    assert pipeline is not None, document.problems
    return pipeline


def golden_source(case: Path) -> str:
    """What a golden case renders to."""
    catalog = read_catalog(PROJECT, {"s3_to_file", "deliver"})
    return render_dag(golden_pipeline(case), f"pipelines/{case.name}", "digits", catalog, PINS)
