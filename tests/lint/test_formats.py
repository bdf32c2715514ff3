"""The formats for machines: each keeps to its specification, whatever a file is called and whatever it says."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.cli.lint import FORMATS as NAMES
from windlass.lint.explain import rule_names
from windlass.lint.findings import Findings
from windlass.lint.formats import FORMATS
from windlass.spec.problem import Problem

POSITIVE = {"type": "integer", "minimum": 1}
TEXT = {"type": "string", "minLength": 1}


def closed(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    properties = {**required, **optional}
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


CODE_QUALITY = {
    "type": "array",
    "items": closed(
        {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": closed({"path": {"type": "string", "pattern": "^[^/]"}, "lines": closed({"begin": POSITIVE})}),
        }
    ),
}
URI = {"type": "string", "pattern": r"^([A-Za-z0-9_.~/-]|%[0-9A-F]{2})+$"}
RULE = closed(
    {"id": TEXT, "defaultConfiguration": closed({"level": {"enum": ["none", "note", "warning", "error"]}})},
    shortDescription=closed({"text": TEXT}),
)
RESULT = closed(
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": closed({"text": TEXT}),
        "locations": {
            "type": "array",
            "items": closed(
                {
                    "physicalLocation": closed(
                        {
                            "artifactLocation": closed({"uri": URI}),
                            "region": closed({"startLine": POSITIVE, "startColumn": POSITIVE}),
                        }
                    )
                }
            ),
        },
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
    }
)
RUN = closed(
    {
        "tool": closed({"driver": closed({"name": TEXT, "version": TEXT, "rules": {"type": "array", "items": RULE}})}),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "artifacts": {"type": "array", "items": closed({"location": closed({"uri": URI})}), "uniqueItems": True},
        "results": {"type": "array", "items": RESULT},
    }
)
SARIF = closed({"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}})
JUNIT = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"classname", "name", "file", "line", "time"},
    "failure": {"message", "type"},
}
FOUND = Findings(
    [
        Problem("pipelines/a.yml", 3, 5, "known-task", "there is no task 'x'"),
        Problem("pipelines/a.yml", 7, 5, "known-task", "there is no task 'x'"),
        Problem("pipelines/b c.yml", 1, 1, "no-secret", "this is a <secret> & \x1b more"),
        Problem("pipelines/ä\udcff.yml", 1, 1, "of-a-check", '"quoted"'),
    ],
    ["pipelines/a.yml", "pipelines/b c.yml", "pipelines/good.yml", "pipelines/ä\udcff.yml"],
)
NOTHING = Findings([], ["pipelines/good.yml"])
SOME = st.builds(
    Findings,
    st.lists(
        st.builds(
            Problem,
            st.text(min_size=1).map("p/".__add__),
            st.integers(1, 9),
            st.integers(1, 9),
            st.sampled_from(rule_names()),
            st.text(min_size=1),
        )
    ),
    st.just(["p/a.yml"]),
)


def junit_cases(text: str) -> list[ElementTree.Element]:
    """The tests of a report, once its elements, attributes and counts are seen to be right."""
    root = ElementTree.fromstring(text.encode())
    for element in root.iter():
        assert set(element.attrib) <= JUNIT[element.tag]
    cases = list(root.iter("testcase"))
    for each in (root, *root.iter("testsuite")):
        assert int(each.attrib["tests"]) == len(cases)
        assert int(each.attrib["failures"]) == len(list(root.iter("failure")))
    assert all(len(case) <= 1 for case in cases), "GitLab reads one failure of a test"
    return cases


@settings(max_examples=40)
@given(SOME)
def test_whatever_is_found_each_report_keeps_to_its_specification(found: Findings) -> None:
    jsonschema.validate(json.loads(FORMATS["code-quality"](found)), CODE_QUALITY)
    jsonschema.validate(json.loads(FORMATS["sarif"](found)), SARIF)
    junit_cases(FORMATS["junit"](found))
    assert len(json.loads(FORMATS["json"](found))["problems"]) == len(found.problems)


@pytest.mark.parametrize("found", [FOUND, NOTHING])
def test_names_that_no_encoding_has_break_no_report(found: Findings) -> None:
    for form in FORMATS.values():
        assert form(found).encode("utf-8").endswith(b"\n")
    jsonschema.validate(json.loads(FORMATS["sarif"](found)), SARIF)
    junit_cases(FORMATS["junit"](found))


def test_code_quality_gives_equal_problems_fingerprints_of_their_own_that_do_not_move_with_lines() -> None:
    moved = Findings([Problem(p.path, p.line + 9, 1, p.rule, p.message) for p in FOUND.problems], FOUND.files)
    before, after = (json.loads(FORMATS["code-quality"](found)) for found in (FOUND, moved))
    assert [item["fingerprint"] for item in before] == [item["fingerprint"] for item in after]
    assert len({item["fingerprint"] for item in before}) == 4
    assert [item["severity"] for item in before] == ["major", "major", "blocker", "major"]


def test_sarif_results_lead_to_their_rules_and_to_files_by_escaped_addresses() -> None:
    (run,) = json.loads(FORMATS["sarif"](FOUND))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert rules[0]["shortDescription"]["text"].endswith("of this pipeline.")
    place = run["results"][2]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "pipelines/b%20c.yml"


def test_junit_has_a_test_for_each_problem_and_for_each_file_without_one() -> None:
    cases = junit_cases(FORMATS["junit"](FOUND))
    names = [(case.attrib["classname"], case.attrib["name"]) for case in cases]
    assert names[:3] == [
        ("pipelines/good.yml", "no problems"),
        ("pipelines/a.yml", "known-task: there is no task 'x'"),
        ("pipelines/a.yml", "known-task: there is no task 'x' (2)"),
    ]
    assert cases[3][0].attrib["message"] == "this is a <secret> & \\x1b more"


def test_junit_is_the_same_in_every_encoding() -> None:
    found = Findings([Problem("pipelines/é.yml", 1, 1, "schema", "😀 <ü>")], ["pipelines/é.yml"])
    assert FORMATS["junit"](found).isascii()
    (case,) = junit_cases(FORMATS["junit"](found))
    assert (case.attrib["file"], case[0].attrib["message"]) == ("pipelines/é.yml", "😀 <ü>")


def test_the_command_knows_every_format() -> None:
    assert set(NAMES) == {"text", *FORMATS}
