"""`windlass split` and `windlass merge` on a laptop: whole parts or none, nothing overwritten unasked."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from windlass.cli.main import windlass
from windlass.runtime import cutting
from windlass.runtime.csv_dialect import Dialect
from windlass.runtime.csv_text import Cut
from windlass.runtime.local_parts import MOST_PARTS, LocalFile, split_here
from windlass.runtime.splitting import part_name

CONTENT = b"id,text\n" + b'1,"two\nlines"\n' * 1000


def run(*arguments: object) -> Result:
    return CliRunner().invoke(windlass, [str(argument) for argument in arguments])


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_bytes(CONTENT)
    return tmp_path / "orders.csv"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_cut_and_put_together_again(orders: Path, tmp_path: Path) -> None:
    parts = tmp_path / "new" / "parts"
    result = run("split", orders, "--rows", 300, "--out", parts, "--json")
    assert result.exit_code == 0, result.output
    assert [Path(part["path"]).name for part in json.loads(result.stdout)["parts"]] == names_in(parts)
    assert len(names_in(parts)) == 4
    result = run("merge", *sorted(parts.iterdir()), "--out", tmp_path / "whole.csv")
    assert result.exit_code == 0 and "whole.csv: 4 parts, 14,008 bytes" in result.stdout
    assert (tmp_path / "whole.csv").read_bytes() == CONTENT


def test_parts_may_be_packed_and_have_another_name(orders: Path, tmp_path: Path) -> None:
    result = run("split", orders, "--size", "8Ki", "--out", tmp_path / "p", "--name", "clients.csv.gz")
    assert "2 parts: " in result.stdout
    assert names_in(tmp_path / "p") == ["clients-00000.csv.gz", "clients-00001.csv.gz"]
    assert run("merge", *sorted((tmp_path / "p").iterdir()), "--out", tmp_path / "w.csv").exit_code == 0
    assert (tmp_path / "w.csv").read_bytes() == CONTENT


def test_what_is_there_already_is_replaced_only_when_asked_for(orders: Path, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    assert run("split", orders, "--parts", 5, "--out", folder).exit_code == 0
    (folder / "orders-notes.csv").write_text("mine")
    refused = run("split", orders, "--parts", 2, "--out", folder)
    assert "orders-00000.csv is there already" in str(refused.exception)
    assert len(names_in(folder)) == 6
    assert run("split", orders, "--parts", 2, "--out", folder, "--force").exit_code == 0
    assert names_in(folder) == ["orders-00000.csv", "orders-00001.csv", "orders-notes.csv"]  # none of the five is left
    assert "orders.csv is there already" in str(run("merge", orders, "--out", orders).exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "split needs exactly one of rows, size and parts"),
        (["--rows", 1, "--parts", 2], "split needs exactly one of rows, size and parts"),
        (["--size", "64MB"], "'64MB' is not a size"),
        (["--rows", 5, "--delimiter", ";;"], "is not one ASCII character"),
        (["--rows", 5, "--name", "x.jsonl"], "both must be of the same kind"),
        (["--rows", 5, "--name", "x.txt"], "'x.txt' is none of .csv, .jsonl, .parquet"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(
    arguments: list[Any], message: str, orders: Path, tmp_path: Path
) -> None:
    result = run("split", orders, "--out", tmp_path / "p", *arguments)
    assert result.exit_code != 0 and message in str(result.exception)
    assert not (tmp_path / "p").exists() or names_in(tmp_path / "p") == []


def test_parts_whose_headers_differ_are_refused_and_leave_nothing(orders: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("name\nx\n")
    result = run("merge", orders, tmp_path / "other.csv", "--out", tmp_path / "w" / "all.csv")
    assert "part 2 (other.csv) has the header 'name' instead of 'id,text'" in str(result.exception)
    assert names_in(tmp_path / "w") == []


def test_an_interruption_at_any_piece_leaves_no_part(
    orders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "SEGMENT", 2000)
    monkeypatch.setattr("windlass.runtime.csv_header._BLOCK", 2000)
    pieces: list[int] = []
    split_here(LocalFile(orders, pieces.append), Cut(rows=100), tmp_path / "all", "o.csv", Dialect())
    assert len(pieces) > 6
    for last in range(1, len(pieces) + 1):
        seen: list[int] = []

        def stop(size: int, seen: list[int] = seen, last: int = last) -> None:
            seen.append(size)
            if len(seen) == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            split_here(LocalFile(orders, stop), Cut(rows=100), tmp_path / "p", "o.csv", Dialect())
        assert names_in(tmp_path / "p") == []


def test_a_full_disk_is_named_and_leaves_no_part(tmp_path: Path) -> None:
    source = tmp_path / "large.csv"
    source.write_bytes(b"h\n" + b"1234567\n" * 400_000)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)); from windlass.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "split", str(source), "--parts", "2", "--out", str(tmp_path / "p")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and "error: " in done.stderr and "file too large" in done.stderr, done.stderr
    assert names_in(tmp_path / "p") == []


def test_files_that_are_no_parts_are_never_replaced(orders: Path, tmp_path: Path) -> None:
    for name in ("orders-2026.csv", "orders-20260131.csv", "orders-1.csv", "orders-\u0661\u0661\u0661\u0661\u0661.csv"):
        (tmp_path / name).write_text("mine")
    before = names_in(tmp_path)
    assert run("split", orders, "--parts", 2, "--out", tmp_path).exit_code == 0
    assert run("split", orders, "--parts", 1, "--out", tmp_path, "--force").exit_code == 0
    assert names_in(tmp_path) == sorted([*before, "orders-00000.csv"])


def test_a_file_is_not_replaced_by_its_own_parts(orders: Path, tmp_path: Path) -> None:
    orders = orders.rename(tmp_path / "all-00007.csv")
    result = run("split", orders, "--parts", 2, "--out", tmp_path, "--name", "all.csv", "--force")
    assert "would be replaced by its own parts" in str(result.exception)
    assert orders.read_bytes() == CONTENT
    assert "'../x.csv' is no file name" in str(run("split", orders, "--rows", 5, "--name", "../x.csv").exception)


def test_parts_sorted_by_name_are_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [part_name("o.csv", number) for number in (*range(12), MOST_PARTS - 1)]
    assert names == sorted(names) and part_name("o.csv", MOST_PARTS) < names[-1]
    monkeypatch.setattr("windlass.runtime.local_parts.MOST_PARTS", 3)
    (tmp_path / "o.csv").write_text("h\n1\n2\n3\n4\n")
    assert "o.csv makes more than 3 parts" in str(run("split", tmp_path / "o.csv", "--rows", 1).exception)


def test_an_interruption_while_parts_are_put_in_place_leaves_the_old_ones(
    orders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, replace = tmp_path / "p", Path.replace
    assert run("split", orders, "--parts", 3, "--out", folder).exit_code == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for last in range(1, 6):  # three old parts and two new ones
        for is_done in (False, True):
            moved: list[Path] = []

            def stop(
                path: Path, target: Path, moved: list[Path] = moved, last: int = last, is_done: bool = is_done
            ) -> Path:
                moved.append(path)
                if len(moved) != last or is_done:
                    replace(path, target)
                if len(moved) == last:
                    raise KeyboardInterrupt
                return target

            monkeypatch.setattr(Path, "replace", stop)
            with pytest.raises(KeyboardInterrupt):
                split_here(LocalFile(orders), Cut(parts=2), folder, "orders.csv", Dialect(), force=True)
            assert len(moved) >= last
            monkeypatch.setattr(Path, "replace", replace)
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == before, (last, is_done)
