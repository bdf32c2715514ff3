"""What reaches a terminal or a job's log: text of others steers nothing, and no encoding stops a command."""

import io
import json
import sys
from collections.abc import Callable

import pytest

from windlass.cli import console


@pytest.mark.parametrize("tell", [console.say, console.step, console.warn, console.fail])
def test_text_of_others_cannot_steer_the_terminal(
    tell: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    tell("evil \x1b[31mred\r\x07 \u202etxt")
    printed = "".join(capsys.readouterr())
    assert printed.strip().endswith(r"evil \x1b[31mred\r\x07 \u202etxt")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_name_that_the_encoding_does_not_have_stops_nothing(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    console.accept_any_text()
    console.print_json({"name": "日本 é →"})
    sys.stdout.flush()
    assert json.loads(written.getvalue().decode(encoding)) == {"name": "日本 é →"}
    print("日本")
    sys.stdout.flush()


def test_a_stream_that_is_closed_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    console.accept_any_text()
    console.print_json({"name": "x"})
    assert not console.out.is_terminal
