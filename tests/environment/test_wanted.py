"""`${NAME}` filled in: whole, inside JSON, from base64; and refusals that name the variable and never its content."""

import base64
import json
import traceback

import pytest

from tests.environment.conftest import declared, environment
from tests.environment.fake_airflow import plain
from windlass.delivery.environment.wanted import wanted_objects
from windlass.spec.errors import WindlassError

SECRET = 'do "not" \\ show\nme'


def fields(text: str, **variables: str) -> dict[str, str | None]:
    [one] = declared(text, variables)
    return plain(one)


def encoded(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()  # with line breaks, as tools write it


def test_names_that_are_not_set_are_listed_all_at_once() -> None:
    text = 'variables: {a: "${ONE}"}\nconnections: {c: {type: t, extra: {x: ["${TWO}"]}, port: "${THREE}"}}\n'
    with pytest.raises(WindlassError, match=r"dev\.yml needs variables that are not set: ONE, THREE, TWO;"):
        wanted_objects(environment(text), {"ONE": ""})


def test_a_secret_in_json_stays_one_text_of_it() -> None:
    extra = fields('connections: {c: {type: t, extra: {a: {b: ["k-${S}"]}}}}\n', S=SECRET)["extra"]
    assert json.loads(extra or "") == {"a": {"b": [f"k-{SECRET}"]}}
    value = fields('variables: {v: {a: "${S}", n: 1}}\n', S=SECRET)["value"]
    assert json.loads(value or "") == {"a": SECRET, "n": 1}
    assert json.loads(fields('connections: {c: {type: t, extra: "${S}"}}\n', S='{"a": 1}')["extra"] or "") == {"a": 1}


@pytest.mark.parametrize(
    ("written", "kept"), [("500", "500"), ("true", "true"), ('"1.10"', "1.10"), ("[1, a]", '[1, "a"]')]
)
def test_what_is_no_text_becomes_the_json_that_airflow_keeps(written: str, kept: str) -> None:
    assert fields(f"variables: {{v: {written}}}\n")["value"] == kept


@pytest.mark.parametrize(
    ("template", "content"),
    [("${S}", f"base64:{encoded(SECRET)}"), ("base64:${S}", encoded(SECRET)), ("base64:${S}", f"{encoded(SECRET)}\n")],
)
def test_base64_is_decoded_whether_the_variable_or_the_file_says_so(template: str, content: str) -> None:
    assert fields(f'connections: {{c: {{type: t, password: "{template}"}}}}\n', S=content)["password"] == SECRET


def test_a_literal_that_begins_like_base64_is_a_literal() -> None:
    assert fields("variables: {v: 'base64:x'}\n")["value"] == "base64:x"


@pytest.mark.parametrize(
    ("text", "content", "message"),
    [
        ('connections: {c: {type: t, password: "${S}"}}\n', "base64:hidden!", "what follows 'base64:' with S is not"),
        ('variables: {v: "${S}"}\n', "base64:/w==hidden", "what follows 'base64:' with S is not base64 of UTF-8 text"),
        ('variables: {v: "base64:${S}"}\n', "_hidden_", "what follows 'base64:' with S is not base64 of UTF-8 text"),
        ('variables: {v: "${S}"}\n', f"base64:{base64.b64encode(b'hidden' + bytes([255])).decode()}", "with S is not"),
        ('connections: {c: {type: t, port: "${S}"}}\n', "hidden", r"port of connection c \(from S\) is not a number"),
        ('pools: {p: {slots: "${S}"}}\n', "4hidden", r"slots of pool p \(from S\) is not a number"),
        ('connections: {c: {type: t, extra: "${S}"}}\n', '{"hidden', r"extra of connection c \(from S\) is not a JSON"),
        (
            'connections: {c: {type: t, extra: "${S}"}}\n',
            '["hidden"]',
            r"extra of connection c \(from S\) is not a JSON",
        ),
        ('connections: {c: {type: t, password: "${S}"}}\n', "***", r"password of connection c \(from S\) is '\*\*\*'"),
        ('connections: {c: {type: t, extra: {a: ["${S}"]}}}\n', "***", r"extra of connection c \(from S\) is '\*\*\*'"),
    ],
)
def test_bad_content_is_refused_by_the_name_of_its_variable(text: str, content: str, message: str) -> None:
    with pytest.raises(WindlassError, match=message) as caught:
        declared(text, {"S": content})
    error: BaseException | None = caught.value
    while error is not None:  # nor does anything that it was raised from
        assert "hidden" not in repr(error) + str(vars(error))
        error = error.__cause__ or error.__context__
    assert "hidden" not in "".join(traceback.format_exception(caught.value))


def test_every_field_with_a_name_in_it_is_secret_and_so_are_password_and_extra() -> None:
    text = 'connections: {c: {type: t, host: "${S}.example", login: l, password: p, extra: {a: 1}, schema: s}}\n'
    [one] = declared(text, {"S": SECRET})
    assert one.secret == {"host", "password", "extra"}
    assert SECRET not in repr(one)
    assert "'p'" not in repr(one)


def test_without_secrets_no_variable_is_needed_and_its_fields_are_left_open() -> None:
    text = 'connections: {c: {type: t, host: "${S}", password: p}}\nvariables: {v: "${S}", w: x}\n'
    connection, variable, other = wanted_objects(environment(text), {}, secrets=False)
    assert connection.unresolved == {"host"}
    assert "host" not in connection.fields
    assert (variable.unresolved, other.unresolved) == ({"value"}, set())
