"""A job between two folders."""

from datetime import timedelta
from pathlib import Path

import pytest

from windlass.runtime.checked import Checked
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.job import Job, JobFiles, run_job

LIMIT = timedelta(seconds=20)


def run(job: Job, folder: Path, inputs: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """The contents of the outputs that were kept."""
    kept: dict[str, bytes] = {}

    def fetch(port: str, into: Path) -> Path:
        into.mkdir(parents=True)
        path = into / "the file.csv"
        path.write_bytes((inputs or {})[port])
        return path

    run_job(job, folder, JobFiles(fetch, lambda port, path: kept.update({port: path.read_bytes()})), lambda line: None)
    return kept


def test_inputs_and_parameters_go_in_and_outputs_come_out(tmp_path: Path) -> None:
    job = Job("cat {a} > {b}; echo {times} >> {b}", LIMIT, ("a",), {"b": "b.csv"}, {"times": 3})
    assert run(job, tmp_path / "with a space", {"a": b"x\n"}) == {"b": b"x\n3\n"}


def test_no_output_is_kept_when_a_row_of_one_is_not_as_it_must_be(tmp_path: Path) -> None:
    outputs = {"a": "a.csv", "b": Checked("b.csv", columns={"id": "integer"}, rows={"at_most": 2})}
    job = Job("printf '%s\\n' id 1 {second} | tee {a} > {b}", LIMIT, (), outputs, {"second": 2})
    assert run(job, tmp_path / "right") == {"a": b"id\n1\n2\n", "b": b"id\n1\n2\n"}
    wrong = Job(job.script, LIMIT, (), outputs, {"second": "x"})
    kept: list[str] = []
    with pytest.raises(RuntimeStop, match=r"output 'b' \(b.csv\), row 2: column 'id' is 'x', which is no integer"):
        run_job(wrong, tmp_path / "wrong", JobFiles(lambda port, into: into, lambda port, _: kept.append(port)), print)
    assert kept == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("true", r"output 'b' \(b.csv\) was not written; it must write to \{b\}"),
        (": > {b}", r"left output 'b' \(b.csv\) empty"),
        ("mkdir {b}", r"left output 'b' \(b.csv\)"),
        ("echo x > {a}; echo no; exit 4", r"ended with exit code 4 after .* seconds; its last line: 'no'"),
        ("exit 4", r"it printed nothing"),
    ],
)
def test_a_job_without_its_outputs_keeps_nothing(tmp_path: Path, script: str, message: str) -> None:
    kept: list[str] = []
    job = Job(script, LIMIT, (), {"a": "a.csv", "b": "b.csv"})
    if "exit" not in script:
        job = Job(f"echo x > {{a}}; {script}", LIMIT, (), {"a": "a.csv", "b": "b.csv"})
    with pytest.raises(RuntimeStop, match=message):
        run_job(job, tmp_path, JobFiles(lambda port, into: into, lambda port, path: kept.append(port)), print)
    assert kept == []


@pytest.mark.parametrize(
    "script",
    [
        "echo x > {a}; ln -s {a} {b}",
        "echo x > {b}; ln {b} {a}",
        "echo x > w; ln -s $PWD/w {a}; ln -s $PWD/w {b}",
    ],
)
def test_outputs_that_are_links_are_files_of_their_own_when_they_are_kept(tmp_path: Path, script: str) -> None:
    moved: dict[str, Path] = {}

    def keep(port: str, path: Path) -> None:
        moved[port] = path.resolve().rename(tmp_path / port)

    job = Job(script, LIMIT, (), {"a": "a.csv", "b": "b.csv"})
    run_job(job, tmp_path / "job", JobFiles(lambda port, folder: folder, keep), lambda line: None)
    assert [path.read_text() for path in moved.values()] == ["x\n", "x\n"]
    assert {path.stat().st_nlink for path in moved.values()} == {1}
