"""Rendered DAGs, as a person reads them: golden files, their form, and that nothing but the YAML decides them."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .golden_project import CASES, GOLDEN, golden_pipeline, golden_source

RUFF = (sys.executable, "-m", "ruff")
ALLOWED = (
    ast.Module,
    ast.ImportFrom,
    ast.alias,
    ast.Expr,
    ast.With,
    ast.withitem,
    ast.Assign,
    ast.Call,
    ast.keyword,
    ast.Name,
    ast.Load,
    ast.Store,
    ast.Constant,
    ast.Dict,
    ast.List,
    ast.BinOp,
    ast.RShift,
    ast.Attribute,
    ast.Subscript,
    ast.UnaryOp,
    ast.USub,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_pipeline_renders_to_its_golden_module(case: Path, compare_golden: Callable[[Path, str], None]) -> None:
    compare_golden(case.with_suffix(".py"), golden_source(case))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_module_has_only_imports_assignments_with_blocks_calls_and_shifts(case: Path) -> None:
    tree = ast.parse(golden_source(case))
    assert {type(node).__name__ for node in ast.walk(tree) if not isinstance(node, ALLOWED)} == set()
    assert "pipelines/" + case.name in (ast.get_docstring(tree) or "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_variable_is_assigned_once_and_before_it_is_used(case: Path) -> None:
    tree = ast.parse(golden_source(case))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = {node.id: node.lineno for node in names if isinstance(node.ctx, ast.Store)}
    assert len(stored) == sum(isinstance(node.ctx, ast.Store) for node in names)
    used = [node for node in names if isinstance(node.ctx, ast.Load) and node.id in stored]
    assert all(stored[node.id] < node.lineno for node in used)
    pipeline = golden_pipeline(case)
    assert len(stored) >= len(pipeline.task_ids)


def test_ruff_format_leaves_every_golden_file_as_it_is() -> None:
    files = sorted(GOLDEN.glob("*.py"))
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--check",
        "--diff",
        "--isolated",
        "--line-length",
        "110",
        *files,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_source_does_not_depend_on_the_hash_seed() -> None:
    program = "from tests.render.golden_project import *; print([golden_source(case) for case in CASES])"
    sources = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sources) == 1 and len(sources.pop()) > 1000
