"""`windlass lint --fix`: minimal edits, the same when made twice, at once or not at all."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from windlass.cli.lint import command
from windlass.lint.fix import Correction, write
from windlass.lint.report import corrections
from windlass.spec.errors import WindlassError

from .test_command import project as project

BEFORE = """\
# a comment that stays\x20
dag: {name: bad,  schedul: null, owner: no, tags: [1.10 , "1.20", 12:30], params: {on: {type: string}}} # here too
tasks:\t
  extract:
    # ä
    clients: {operator_type: s3_to_file, keyy: a, outputs: {data: a.csv}}
    ärger: {operator_type: merge_csv, inputs: {a: extract.clients.data}, outputs: {data: a.csv}}
  load:
    catch: {operator_type: convert, inputs: {data: extract.clients.data}, outputs: {data: a.parquet}, retris: 3}
    x: {operator_type: deliver, to: on, inputs: {data: extract.clients.data}}
"""
AFTER = (
    BEFORE.replace("schedul:", "schedule:")
    .replace("owner: no", 'owner: "no"')
    .replace("[1.10 ,", '["1.10" ,')
    .replace("12:30", '"12:30"')
    .replace("{on: {", '{"on": {')
    .replace("keyy:", "key:")
    .replace("retris", "retries")
    .replace("to: on", 'to: "on"')
)


def lint(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def fix(project: Path, content: str) -> str:
    """What `--fix` makes of a pipeline; checked to be the same when done again."""
    path = project / "pipelines/bad.yml"
    path.write_bytes(content.encode())
    lint("--fix")
    once = path.read_bytes()
    lint("--fix")
    assert path.read_bytes() == once
    return once.decode()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_fix_changes_the_words_in_question_and_no_other_byte(project: Path, newline: str) -> None:
    assert fix(project, BEFORE.replace("\n", newline)) == AFTER.replace("\n", newline)


def test_a_word_for_true_or_false_becomes_that_where_it_is_meant(project: Path) -> None:
    dag = "dag: {name: bad, catchup: no, critical: Yes, owner: yes}\n"
    tasks = "tasks: {a: {b: {operator_type: s3_to_file, key: a, setup: off, outputs: {data: a.csv}}}}\n"
    found = fix(project, dag + tasks)
    assert found == (dag + tasks).replace("catchup: no", "catchup: false").replace("Yes", "true").replace(
        "owner: yes", 'owner: "yes"'
    ).replace("off", "false")


def test_a_word_for_true_or_false_becomes_that_in_an_environment_too(project: Path) -> None:
    tasks = "tasks: {a: {b: {operator_type: s3_to_file, key: a, outputs: {data: a.csv}}}}\n"
    content = f"dag: {{name: bad}}\n{tasks}environments: {{stage: {{dag: {{catchup: on}}}}}}\n"
    assert fix(project, content) == content.replace("on}", "true}")


def test_a_file_whose_name_cannot_be_shown_is_left_alone(project: Path) -> None:
    path = project / "pipelines/a\x1b.yml"
    path.write_text(BEFORE)
    assert lint("--fix").exit_code == 1
    assert path.read_text() == BEFORE


def test_the_mark_that_some_editors_begin_a_file_with_is_no_column(project: Path) -> None:
    assert fix(project, f"\ufeff{BEFORE[BEFORE.index('dag') :]}") == f"\ufeff{AFTER[AFTER.index('dag') :]}"


@pytest.mark.parametrize(
    "line",
    [
        "dag: {name: bad, retries: 010}",  # quotes would not make it a number
        "dag: {name: bad, schedule: null, schedul: '@daily'}",  # the key is there already
        "dag: {name: bad, schedul: '@daily', schedulee: null}",  # both cannot become one key
        "dag: {name: bad, xyz: 1}",  # like nothing
        "dag: {name: bad, retry: 1}",  # like retries, retry_delay and retry_backoff
        "dag: {name: bad, max_active: 1}",  # like two
        "dag: {name: bad, tags: [&a x, *b]}",  # cannot be read
        "dag: {name: bad, description: 'no', tags: ['1.10']}",
    ],
)
def test_what_needs_a_thought_is_left_alone(project: Path, line: str) -> None:
    tasks = "\ntasks: {a: {b: {operator_type: s3_to_file, key: a, outputs: {data: a.csv}}}}\n"
    assert fix(project, line + tasks) == line + tasks


def test_one_correction_may_show_the_next(project: Path) -> None:
    content = "dag: {name: bad}\ntaskss: {a: {b: {operator_type: s3_to_file, keyy: no, outputs: {data: a.csv}}}}\n"
    assert fix(project, content) == content.replace("taskss", "tasks").replace("keyy: no", 'key: "no"')


def test_a_diff_shows_the_corrections_and_writes_nothing(project: Path) -> None:
    path = project / "pipelines/bad.yml"
    path.write_text(BEFORE)
    result = lint("--fix", "--diff")
    assert result.exit_code == 1 and path.read_text() == BEFORE
    assert "--- a/pipelines/bad.yml\n+++ b/pipelines/bad.yml\n@@ -2 +2 @@\n" in result.output
    path.write_text(AFTER)
    assert lint("--diff").output == "" and lint("--diff").exit_code == 0


def test_a_diff_shows_no_secret(project: Path) -> None:
    content = BEFORE.replace("name: bad,", "name: bad, password: geheim,")
    (project / "pipelines/bad.yml").write_text(content)
    result = lint("--diff")
    assert "geheim" not in result.output and "+(a line with a secret)" in result.output


def test_only_files_that_are_asked_for_are_corrected(project: Path) -> None:
    path = project / "pipelines/bad.yml"
    path.write_text(BEFORE)
    lint("--fix", "pipelines/good.yml", "models")
    assert path.read_text() == BEFORE


def test_a_file_keeps_its_mode_and_a_link_stays_a_link(project: Path) -> None:
    path = project / "pipelines/bad.yml"
    (project / "real.yml").write_text(BEFORE)
    (project / "real.yml").chmod(0o640)
    path.symlink_to("../real.yml")
    lint("--fix")
    assert path.is_symlink() and (project / "real.yml").read_text() == AFTER
    assert (project / "real.yml").stat().st_mode & 0o777 == 0o640


def test_a_file_that_changed_meanwhile_is_not_overwritten(project: Path) -> None:
    path = project / "pipelines/bad.yml"
    path.write_text(BEFORE)
    (correction,) = corrections([], project, None)
    path.write_text("dag: {}\n")
    with pytest.raises(WindlassError, match="was changed in the meantime"):
        write(correction)
    assert path.read_text() == "dag: {}\n"


def test_a_correction_that_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(WindlassError, match="cannot be written: No such file"):
        write(Correction(tmp_path / "nowhere/a.yml", "nowhere/a.yml", "a", "b"))
    assert list(tmp_path.iterdir()) == []
