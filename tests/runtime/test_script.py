"""Values in shell scripts, run by a real shell."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.runtime.errors import RuntimeStop
from windlass.runtime.script import Script


def filled(script: str, **values: object) -> str:
    made = Script(script, values)
    return made.filled(made.text)


def test_only_known_names_in_braces_are_placeholders() -> None:
    script = "awk '{print $1}' {data} ${data} {{ data }} {other} {a,b}"
    assert filled(script, data="d.csv") == "awk '{print $1}' d.csv ${data} {{ data }} {other} {a,b}"


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_value_is_one_word_for_the_shell(value: str) -> None:
    script = filled("printf '%s|' a {value} b", value=value)
    printed = subprocess.run(["/bin/sh", "-c", script.encode()], capture_output=True, check=True).stdout
    assert printed == f"a|{value}|b|".encode()


def test_a_value_is_not_searched_for_placeholders_or_marks() -> None:
    made = Script("echo {a} {b}", {"a": "{b}", "b": "x"})
    assert made.filled(made.text) == "echo '{b}' x"


def test_a_template_engine_prints_marks() -> None:
    made = Script("echo {a} TEMPLATE", {"a": "x"})
    assert made.filled(made.text.replace("TEMPLATE", made.mark("$(rm {a})"))) == "echo x '$(rm {a})'"


@pytest.mark.parametrize(
    "script",
    ["echo '{v}'", 'echo "{v}"', 'echo "a $(b {v})"', "echo `a {v}`", "cat <<END\n{v}\nEND", "echo \\' '{v}'",
     "# don't\necho '{v}'"],
)  # fmt: skip
def test_in_quotes_a_plain_value_is_taken_and_any_other_refused(script: str) -> None:
    assert filled(script, v="2026-01-31") == script.replace("{v}", "2026-01-31")
    with pytest.raises(RuntimeStop, match="inside quotes, a comment or a here-document"):
        filled(script, v="$(touch hacked)")


@pytest.mark.parametrize("script", ["echo 'a' {v}", 'echo "a\\"" {v}', "echo it\\'s {v}", "# don't\necho {v}"])
def test_after_quotes_any_value_is_taken(script: str) -> None:
    assert filled(script, v="a b") == script.replace("{v}", "'a b'")


HOSTILE_PLACES = [
    'echo "$(echo "{v}")"',
    'echo "a `echo "{v}"` b"',
    'echo "${HOME:-"{v}"}" {v}',
    'echo "${X:-it\'s}" "{v}"',
    "echo \\{v}",
    "echo a # {v}",
    'echo a\\ #" {v}',
    "true # it's {v}\necho {v}",
    "echo $'it\\'s {v}'",
    "echo ${X:-{v} }",
    "(echo {v}; echo ')' {v})",
    'echo "$(case a in a) echo "{v}";; esac)"',
    'echo "$(printf %s "$(echo "{v}")")" {v}',
    "test $(( {v} )) -gt 0",
    "cat <<-END\n\t{v}\nEND",
    "X={v} sh -c 'true'",
    "cat $(echo {v}) > {v}.txt",
]
HOSTILE_VALUES = [
    "$(touch hacked)",
    "`touch hacked`",
    "a[$(touch hacked)]",
    "'; touch hacked; '",
    '"; touch hacked; "',
    "a; touch hacked; #",
    "a\ntouch hacked\n",
    "a\n'\ntouch hacked\n'",
    "\\'; touch hacked; #",
    "}; touch hacked; #",
    ")\ntouch hacked\n(",
]


@pytest.mark.parametrize("shell", [shell for shell in ("dash", "bash") if shutil.which(shell)])
@pytest.mark.parametrize("script", HOSTILE_PLACES)
def test_no_value_becomes_a_command_wherever_it_stands(script: str, shell: str, tmp_path: Path) -> None:
    for value in HOSTILE_VALUES:
        try:
            text = filled(script, v=value)
        except RuntimeStop:
            continue
        subprocess.run([shell, "-c", text], cwd=tmp_path, capture_output=True, check=False, timeout=20)
        assert not (tmp_path / "hacked").exists(), text


@pytest.mark.parametrize("script", ["echo $(wc {v})", "echo ${X:-a} {v}", "(cd a && b {v})", "a() { b {v}; }; a"])
def test_beside_quotes_any_value_is_taken(script: str) -> None:
    assert filled(script, v="a b") == script.replace("{v}", "'a b'")


def test_a_zero_byte_is_refused() -> None:
    with pytest.raises(RuntimeStop):
        filled("echo {v}", v="a\0b")
