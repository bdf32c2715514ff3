"""SARIF 2.1.0: what code scanners report to editors and dashboards."""

import json
from typing import Any
from urllib.parse import quote

from windlass import __version__
from windlass.lint.explain import rule_names, summary
from windlass.lint.findings import Findings
from windlass.spec.problem import Problem


def text(findings: Findings) -> str:
    """One run, with the rules that found something and each problem as an error."""
    rules = sorted({problem.rule for problem in findings.problems})
    driver = {"name": "windlass", "version": __version__, "rules": [_rule(name) for name in rules]}
    results = [_result(problem, fingerprint, rules) for problem, fingerprint in findings.fingerprinted()]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(path)}} for path in findings.files],
        "results": results,
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(name: str) -> dict[str, Any]:
    described: dict[str, Any] = {"id": name, "defaultConfiguration": {"level": "error"}}
    if name in rule_names():
        described["shortDescription"] = {"text": summary(name)}
    return described


def _result(problem: Problem, fingerprint: str, rules: list[str]) -> dict[str, Any]:
    region = {"startLine": problem.line, "startColumn": problem.column}
    place = {"artifactLocation": {"uri": _uri(problem.path)}, "region": region}
    return {
        "ruleId": problem.rule,
        "ruleIndex": rules.index(problem.rule),
        "level": "error",
        "message": {"text": problem.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"windlass/v1": fingerprint},
    }


def _uri(path: str) -> str:
    return quote(path.encode(errors="backslashreplace"))
