"""What environments/*.yml may declare, and that nothing of it leaves the file by an unguarded door."""

import pytest

from tests.environment.conftest import environment, problems
from windlass.delivery.environment.settings import environment_json
from windlass.spec.document import parse_document
from windlass.spec.environment import RuntimeSettings, read_environment

WHOLE = """\
variables: {plain: a-literal, token: "${TOKEN}", conf: {n: 1, key: "x${TOKEN}"}}
connections:
  dwh: {type: postgres, host: "${HOST}", port: "${PORT}", login: l, password: a-password, extra: {key: an-extra}}
pools: {etl: {slots: 4, description: Loads}}
"""


def test_the_state_and_the_staged_settings_hold_none_of_it() -> None:
    whole = environment(WHOLE)
    assert not {"variables", "connections", "pools", "airflow"} & set(RuntimeSettings.model_fields)
    for text in (whole.runtime.model_dump_json(), environment_json(whole.runtime).decode(), repr(whole.runtime)):
        for part in ("TOKEN", "a-literal", "a-password", "an-extra", "HOST", "dwh", "etl", "postgres"):
            assert part not in text, part
    assert whole.runtime == environment("").runtime


def test_what_may_be_secret_hides_itself_in_repr_and_json() -> None:
    whole = environment(WHOLE)
    for text in (repr(whole), str(whole), whole.model_dump_json(), repr(whole.model_dump())):
        for part in ("TOKEN", "a-literal", "a-password", "an-extra"):
            assert part not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("variables: {a: null}\n", "2:16: a: must be text, a number, true or false, a list or a mapping, not nothing"),
        ("variables: {'a b': x}\n", "2:13: 'a b' is no name for Airflow here; take letters, digits, _, - and dots"),
        ("variables: {'..': x}\n", "2:13: '..' is no name for Airflow here; take letters, digits, _, - and dots"),
        ("variables: [a]\n", "2:12: variables must be a mapping, not a list"),
        ("connections: {d: {host: h}}\n", "2:15: key 'type' is missing in connections.d"),
        (
            "connections: {d: {type: t, shema: s}}\n",
            "2:28: unknown key 'shema' in connections.d; did you mean 'schema'?",
        ),
        ("connections: {d: {type: t, port: x}}\n", "2:34: port: must be a number, or ${NAME} alone"),
        ("connections: {d: {type: t, port: 70000}}\n", "2:34: port: must be between 1 and 65535"),
        (
            'connections: {d: {type: t, password: "${A-B}"}}\n',
            "2:38: password: '${' begins the name of a CI/CD variable: write ${NAME} with letters, digits and _",
        ),
        ("connections: {d: {type: t, password: 98765}}\n", "2:38: password must be text"),
        (
            "connections: {d: {type: t, extra: hidden-text}}\n",
            "2:35: extra: must be a mapping, or text that is a JSON object once ${NAME} is filled in",
        ),
        ("pools: {p: {slots: -2}}\n", "2:20: slots: must be -1 (no limit), 0 or more"),
        ("pools: {p: {slot: 2}}\n", "2:13: unknown key 'slot' in pools.p; did you mean 'slots'?"),
        (
            "pools: {default_pool: {slots: 2}}\n",
            "2:9: default_pool is Airflow's own; set its size there, or declare another pool",
        ),
    ],
)
def test_what_does_not_fit_is_a_problem_at_its_place_without_the_secret(text: str, expected: str) -> None:
    found = problems(text)
    assert any(line.startswith(f"environments/dev.yml:{expected}") for line in found), found
    assert not any("98765" in line or "hidden-text" in line for line in found)


def test_a_problem_in_what_is_extended_is_shown_in_that_file() -> None:
    base = parse_document(
        "environments/base.yml", b"s3: {code: c, models: m, data: d}\nconnections: {d: {type: 3, host: h}}\n"
    )
    dev = parse_document("environments/dev.yml", b"extends: base\nconnections: {d: {port: 1}}\n")
    assert read_environment("dev", {"base": base, "dev": dev}) is None
    assert [str(problem) for problem in dev.problems] == [
        "environments/base.yml:2:25: type must be text, not 3 [schema]"
    ]
