"""Findings in the forms that machines read, one per module: `text(findings)` is the whole report."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from windlass.lint.findings import Findings
from windlass.lint.formats import as_json, code_quality, junit, sarif

FORMATS: Mapping[str, Callable[[Findings], str]] = MappingProxyType(
    {"json": as_json.text, "code-quality": code_quality.text, "sarif": sarif.text, "junit": junit.text}
)
"""Each format by the name that `--format` takes."""
