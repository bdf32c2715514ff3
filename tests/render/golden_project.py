"""The golden pipelines as a project of their own, linted and rendered."""

from pathlib import Path

from windlass.catalog.read import read_catalog
from windlass.render.dag import render_dag
from windlass.render.surroundings import Surroundings
from windlass.render.texts import paths_of
from windlass.spec.document import parse_document
from windlass.spec.pipeline import Pipeline, read_pipeline

GOLDEN = Path(__file__).parent / "golden"
PROJECT = Path(__file__).parent / "project"
CASES = sorted(GOLDEN.glob("*.yml"))
PINS = {"digits": "0123456789abcdef"}
STANDARD = {"s3_to_file", "deliver", "merge_csv", "wait_for_file"}


def golden_pipeline(case: Path) -> Pipeline:
    """The pipeline of a golden case."""
    document = parse_document(f"pipelines/{case.name}", case.read_bytes())
    pipeline = read_pipeline(document)
    assert pipeline is not None, document.problems
    return pipeline


def golden_source(case: Path) -> str:
    """What a golden case renders to."""
    catalog = read_catalog(PROJECT, STANDARD)
    pipeline = golden_pipeline(case)
    texts = {path: (PROJECT / path).read_text() for path in paths_of(pipeline, catalog)}
    return render_dag(pipeline, f"pipelines/{case.name}", Surroundings("digits", catalog, PINS, texts))
