"""GitLab's Code Quality report: shows problems in merge requests, and which of them a merge request brings in."""

import json

from windlass.lint.findings import Findings

_BLOCKERS = {"no-secret"}


def text(findings: Findings) -> str:
    """A list with one object per problem; GitLab takes problems of equal fingerprints for the same one."""
    report = [
        {
            "description": problem.message,
            "check_name": problem.rule,
            "fingerprint": fingerprint,
            "severity": "blocker" if problem.rule in _BLOCKERS else "major",
            "location": {"path": problem.path, "lines": {"begin": problem.line}},
        }
        for problem, fingerprint in findings.fingerprinted()
    ]
    return json.dumps(report, indent=2) + "\n"
