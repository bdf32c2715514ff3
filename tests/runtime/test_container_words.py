"""What containers report, and the commands that they are given."""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from windlass.runtime.container_scripts import StoredFile, keep_script, packed, stage_script
from windlass.runtime.container_words import check_kept, check_staged, last_word
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.process import Limits

TASK = SimpleNamespace(outputs={"out": "out.csv"}, execution_time=timedelta(minutes=5))
LIMITS = Limits(memory=64 * 1024**2, disk=32 * 1024**2, flavor="small")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("end 0 timeout 1.5 301.5 0", "was stopped at its time limit of 5 minutes after 300.0 seconds; it printed"),
        ("end 137 ended 1 2 1", "needs more memory than the 64Mi of its flavor 'small' after 1.0 seconds"),
        ("end 137 ended 1 2 0", "the script was killed by SIGKILL; too little memory is the usual cause"),
        ("end 137 disk 1 2 0", "the script was ended because it needs more disk than the 32Mi of its flavor 'small'"),
        ("end 200 ended 1 2 0", "the script ended with exit code 200"),
        ("missing out", "output 'out' (out.csv) was not written"),
        ("missing other", "ended unseen"),
        ("unseen", "ended unseen: its container was killed"),
        ("unkept data k error AccessDenied: x", "S3 refuses access to s3://data/k (AccessDenied)"),
        ("unstarted 600", "did not start within 600 seconds; look at jobs.start_within"),
    ],
)
def test_a_report_is_one_sentence(line: str, message: str) -> None:
    with pytest.raises(RuntimeStop) as stop:
        check_kept(last_word(f"x\nwindlass {line}\n"), TASK, (), LIMITS)
    assert message in str(stop.value)


def test_a_script_that_outlived_the_loss_of_a_process_ended_well() -> None:
    assert check_kept(last_word("windlass end 0 ended 1 3.5 1"), TASK, (), LIMITS) == 2.5


def test_a_container_that_says_nothing_has_not_staged() -> None:
    with pytest.raises(RuntimeStop, match="the container that fetches the inputs was ended"):
        check_staged(last_word("Killed\n"), "AWS")


@pytest.mark.skipif(not shutil.which("busybox"), reason="needs busybox")
def test_a_command_of_any_length_arrives_as_it_is() -> None:
    files = [StoredFile("data", f"k/{number}", f"inputs/data/{number}", f"{number:064x}") for number in range(9000)]
    script = stage_script(files, ["outputs/out"], "echo 'ü \\'", {"A": "b c"}, timedelta(1), timedelta(1))
    command = packed(script)
    assert max(len(each) for each in command) <= 100_000
    told = [*command[:3], command[3].replace("exec busybox sh /tmp/windlass.sh", "cat /tmp/windlass.sh"), *command[4:]]
    assert subprocess.run(told, capture_output=True, check=True).stdout.decode() == script


@pytest.mark.parametrize("script", [stage_script([], [], "x", {}, timedelta(1), timedelta(1)), keep_script({})])
def test_the_scripts_are_scripts(script: str, tmp_path: Path) -> None:
    (tmp_path / "it.sh").write_text(script)
    subprocess.run(["sh", "-n", tmp_path / "it.sh"], check=True)
