"""windlass's own JSON: the files that were checked, and each problem with its place, message and rule."""

import json

from windlass.lint.findings import Findings


def text(findings: Findings) -> str:
    """`{"files": [...], "problems": [{"path", "line", "column", "message", "rule"}]}`."""
    problems = [
        {"path": p.path, "line": p.line, "column": p.column, "message": p.message, "rule": p.rule}
        for p in findings.problems
    ]
    return json.dumps({"files": findings.files, "problems": problems}, indent=2, sort_keys=True) + "\n"
