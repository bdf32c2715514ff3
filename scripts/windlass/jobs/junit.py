"""Results of tests as JUnit's XML, which GitLab shows in merge requests."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Test:
    """One test: `group` is what it is about, `file` where it is; it passed where `problems` is empty."""

    group: str
    name: str
    file: str
    seconds: float
    problems: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def junit_xml(tests: Iterable[Test]) -> str:
    """One suite with all of the tests."""
    listed = list(tests)
    failed = sum(bool(test.problems) for test in listed)
    seconds = sum(test.seconds for test in listed)
    counts = f'tests="{len(listed)}" failures="{failed}" errors="0" skipped="0" time="{seconds:.3f}"'
    cases = "".join(map(_case, listed))
    whole = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="windlass test" {counts}>\n'
        f'  <testsuite name="windlass test" {counts}>\n{cases}  </testsuite>\n</testsuites>\n'
    )
    return whole.encode("ascii", "xmlcharrefreplace").decode()


def _case(test: Test) -> str:
    names = f"classname={_attribute(test.group)} name={_attribute(test.name)} file={_attribute(test.file)}"
    begin = f'    <testcase {names} time="{test.seconds:.3f}"'
    if not test.problems:
        return f"{begin}/>\n"
    message, whole = test.problems[0].partition("\n")[0], "\n".join(test.problems)
    printed = f"\n      <system-out>{_safe(chr(10).join(test.lines))}</system-out>" if test.lines else ""
    failure = f"<failure message={_attribute(message)}>{_safe(whole)}</failure>"
    return f"{begin}>\n      {failure}{printed}\n    </testcase>\n"


def _attribute(value: str) -> str:
    return quoteattr(_legal(value))


def _safe(value: str) -> str:
    return escape(_legal(value))


def _legal(value: str) -> str:
    """The text with what XML cannot hold as an escape."""
    return _NOT_XML.sub(lambda match: match[0].encode("unicode_escape").decode(), value)
