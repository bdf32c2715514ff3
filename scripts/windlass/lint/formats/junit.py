"""JUnit's XML: each problem is a failed test of its file, each file without one a test that passed."""

import re
from xml.sax.saxutils import escape, quoteattr

from windlass.lint.findings import Findings
from windlass.spec.problem import Problem

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(findings: Findings) -> str:
    """One suite. A test is named by rule and message, so that it is the same one when lines move."""
    broken = {problem.path for problem in findings.problems}
    passed = [path for path in findings.files if path not in broken]
    cases = [_passed(path) for path in passed]
    seen: dict[tuple[str, str], int] = {}
    for problem in findings.problems:
        name = f"{problem.rule}: {problem.message}"
        seen[problem.path, name] = count = seen.get((problem.path, name), 0) + 1
        cases.append(_failed(problem, name if count == 1 else f"{name} ({count})"))
    counts = f'tests="{len(cases)}" failures="{len(findings.problems)}" errors="0" skipped="0"'
    suite = f"  <testsuite name={_attribute(findings.tool)} {counts}>\n{''.join(cases)}  </testsuite>\n"
    name = _attribute(findings.tool)
    whole = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={name} {counts}>\n{suite}</testsuites>\n'
    return whole.encode("ascii", "xmlcharrefreplace").decode()  # the same bytes whatever a terminal takes


def _passed(path: str) -> str:
    return f'    <testcase classname={_attribute(path)} name="no problems" file={_attribute(path)} time="0"/>\n'


def _failed(problem: Problem, name: str) -> str:
    path = _attribute(problem.path)
    failure = f"<failure message={_attribute(problem.message)} type={_attribute(problem.rule)}>{_safe(str(problem))}"
    return (
        f'    <testcase classname={path} name={_attribute(name)} file={path} line="{problem.line}" time="0">'
        f"{failure}</failure></testcase>\n"
    )


def _attribute(value: str) -> str:
    return quoteattr(_legal(value))


def _safe(value: str) -> str:
    return escape(_legal(value))


def _legal(value: str) -> str:
    """The text with what XML cannot hold as an escape."""
    return _NOT_XML.sub(lambda match: match[0].encode("unicode_escape").decode(), value)
