"""A repository that `windlass new` made passes its first pipeline: real templates, jobs, buckets and credentials."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from windlass.cli.new import command
from windlass.scaffold.files import KINDS, Kind
from windlass.stack.publish import Remote
from windlass.stack.rehearsal import rehearse
from windlass.stack.stack import Stack

from .conftest import Checkout

REHEARSED: dict[Kind, str] = {"model": "house_prices", "pipelines": "exports"}


@pytest.mark.stack
@pytest.mark.usefixtures("rsync")
@pytest.mark.parametrize(("kind", "name"), REHEARSED.items())
def test_a_new_repository_passes_the_pipeline_of_its_first_merge_request(
    small_stack: Stack, tmp_path: Path, kind: Kind, name: str
) -> None:
    model = Checkout(tmp_path / name, Remote("http://127.0.0.1:1", ""))
    made = CliRunner().invoke(command, [name, "--kind", kind, "--path", str(model.folder), "--ref", "main"])
    assert made.exit_code == 0, made.output
    model.commit(f"{name} begins")
    lines: list[str] = []
    rehearsal = rehearse(small_stack, model.folder, "merge-request", output=lines.append)
    results = {job.name.removeprefix(f"{name}:"): job.result for job in rehearsal.jobs}
    assert rehearsal.ok, f"{results}\n" + "\n".join(lines[-60:])
    assert {results[stage] for stage in ("lint", "test", "render", "plan")} == {"passed"}, results
    assert {result for stage, result in results.items() if stage.startswith("train")} == {"passed"}, results


def test_every_kind_of_repository_is_rehearsed() -> None:
    assert sorted(REHEARSED) == sorted(KINDS)
