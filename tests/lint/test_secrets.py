"""What is taken for a secret, what is not, and that its value is never shown."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from windlass.cli.lint import command
from windlass.lint import secrets
from windlass.lint.findings import Findings
from windlass.lint.formats import FORMATS
from windlass.lint.report import lint
from windlass.lint.secrets import is_secret, may_show_secret, secret_form
from windlass.lint.shown import source_lines

from .test_command import project as project

LONG = "q8Zt31vLmP0sXy7RwNeKb2Ju5HcAa9DdFf4G"
SECRETS = {
    "AKIA" + "ABCDEFGHIJKLMNOP": "an AWS access key",
    "glpat-" + LONG[:20]: "a GitLab token",
    "ghp_" + LONG: "a GitHub token",
    "xoxb-" + "123456789012": "a Slack token",
    "-----BEGIN RSA " + "PRIVATE KEY-----": "a private key",
    "postgresql://reader:geheim@dwh/a": "a password in a URL",
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["# was {}", "description: {}", "x --with={} --more", "[a, '{}']"])
def test_a_secret_is_known_by_its_form_wherever_it_stands(secret: str, place: str) -> None:
    found = secret_form(place.format(secret))
    assert found is not None and found[0] == SECRETS[secret]
    assert place[found[1] :].startswith("{}")


@given(st.from_regex(secrets._FORM, fullmatch=True))
def test_whatever_has_the_form_of_a_secret_is_found(text: str) -> None:
    assert secret_form(text) is not None


@pytest.mark.parametrize(
    "harmless",
    [
        "postgresql://dwh/a",
        "postgresql://reader@dwh/a",
        "postgresql://reader:${PASSWORD}@dwh/a",
        "postgresql://reader:{{ conn.dwh.password }}@dwh/a",
        "postgresql://reader:***@dwh/a",
        "https://example.com:8080/a@b",
        "s3://bucket/a:b/c@d",
        "AKIA is how a key begins",
        "glpat-x",
        "a" * 1000,
    ],
)
def test_what_only_looks_a_little_like_a_secret_is_none(harmless: str) -> None:
    assert secret_form(harmless) is None


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("password", "geheim", True),
        ("password", "$[[ parameters.password ]]", False),
        ("db_password", "x", True),
        ("password", "${DB_PASSWORD}", False),
        ("password", "{{ conn.dwh.password }}", False),
        ("password", "", False),
        ("passwords_table", "geheim", False),
        ("token", "q8Zt31vLmP0sXy7RwNeK", True),
        ("api-key", "d41d8cd98f00b204e9800998ecf8427e", True),
        ("aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", True),
        ("secret", "vault/team/weather_key_2", False),
        ("token", "next_page_token", False),
        ("key", "incoming/2026-01-31/q8Zt31vLmP0sXy7RwNeK", False),
    ],
)
def test_a_value_is_a_secret_by_its_key(key: str, value: str, expected: bool) -> None:
    assert is_secret(key, value) is expected


PIPELINE = """\
dag: {{name: bad, ownr: x, description: "{secret}"}}
tasks:
  a:
    b: {{operator_type: "{secret}", key: a, kee: "{secret}", password: "{secret}", outputs: {{data: a.csv}}}}
    c: {{operator_type: s3_to_file, key: a, outputs: {{date: a.csv}}, token: "{secret}"}}  # {secret}
"""


@pytest.mark.parametrize("secret", SECRETS)
def test_no_output_ever_shows_the_value(
    secret: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pipelines/bad.yml").write_text(PIPELINE.format(secret=secret))
    findings = lint([], project, None)
    assert sum(problem.rule == "no-secret" for problem in findings.problems) == 3
    assert not any(secret in form(findings) for form in FORMATS.values())
    assert not any(secret in str(source_lines(findings, problem)) for problem in findings.problems)
    for option in ("--diff", "--fix", "--json"):
        result = CliRunner().invoke(command, [option])
        assert secret not in result.output and secret not in result.stderr


def test_a_password_of_the_wrong_type_is_not_shown(project: Path) -> None:
    source = (project / "operators/reshape.py").read_text()
    (project / "operators/reshape.py").write_text(source.replace("rows: int", "password: int"))
    operator = "{operator_type: reshape, columns: [], password: geheim, inputs: {data: model:digits}, outputs: {}}"
    (project / "pipelines/bad.yml").write_text(f"dag: {{name: bad}}\ntasks: {{a: {{b: {operator}}}}}\n")
    said = [problem.message for problem in lint([], project, None).problems]
    assert "argument 'password' of operator 'reshape' must be int, not what is there" in said


def test_a_secret_that_a_comment_takes_back_is_not_shown_either(project: Path) -> None:
    text = "dag: {name: bad, ownr: x, description: 'password=geheim'}\n"
    (project / "pipelines/bad.yml").write_text(text)
    findings = lint([], project, None)
    assert all(source_lines(findings, problem) is None for problem in findings.problems)
    assert may_show_secret("x --password=geheim") and not may_show_secret("x --password=${PASSWORD}")


def test_a_line_is_shown_with_its_place_marked_and_long_ones_in_part() -> None:
    from windlass.spec.problem import Problem

    problem = Problem("a.yml", 2, 18, "x", "y")
    found = Findings([problem], ["a.yml"], {"a.yml": "\ndag: {name: bad, ownr: me}\r\n"})
    assert source_lines(found, problem) == ("dag: {name: bad, ownr: me}", " " * 17 + "^~~~")
    far = Problem("a.yml", 1, 5001, "x", "y")
    timed = Findings([], [], {"a.yml": "at: 12:30, on"})
    assert source_lines(timed, Problem("a.yml", 1, 5, "x", "y")) == ("at: 12:30, on", " " * 4 + "^~~~~")
    assert source_lines(timed, Problem("a.yml", 1, 1, "x", "y")) == ("at: 12:30, on", "^~")
    line, mark = source_lines(Findings([far], [], {"a.yml": "x" * 5000 + "\x1bhere" + "x" * 5000}), far) or ("", "")
    assert len(line) == 160 and mark == " " * 60 + "^" and line[60:65] == " here"
    assert source_lines(found, Problem("other.yml", 1, 1, "x", "y")) is None
    assert json.dumps(line)
