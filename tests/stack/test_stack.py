"""The stack comes up once, notices what died, moves from a taken port, and leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.spec.errors import ServiceError, WindlassError
from windlass.stack import processes, service
from windlass.stack import stack as module
from windlass.stack.stack import Stack

pytestmark = pytest.mark.stack

Make = Callable[..., Stack]


def pids(stack: Stack) -> dict[str, int | None]:
    return {status.service: status.pid for status in stack.status()}


def states(stack: Stack) -> dict[str, str]:
    return {status.service: status.state for status in stack.status()}


def left_behind(home: Path) -> list[str]:
    """Command lines of living processes that name `home`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_text().replace("\0", " ")
            folder = str((entry / "cwd").resolve())
        except OSError:
            continue
        if str(home) in line or folder.startswith(str(home)):
            found.append(line)
    return found


def test_a_second_up_changes_nothing(small_stack: Stack) -> None:
    before = pids(small_stack)
    small_stack.up()
    assert pids(small_stack) == before
    assert states(small_stack) == {"s3": "healthy", "gitlab": "healthy"}


def test_a_killed_service_is_noticed_and_started_again(small_stack: Stack) -> None:
    before = pids(small_stack)
    assert before["gitlab"]
    os.kill(before["gitlab"], signal.SIGKILL)
    deadline = time.monotonic() + 15
    while states(small_stack)["gitlab"] != "stopped":
        assert time.monotonic() < deadline
    small_stack.up()
    after = pids(small_stack)
    assert after["s3"] == before["s3"]
    assert after["gitlab"] not in (None, before["gitlab"])


def test_everything_listens_on_this_machine_only(small_stack: Stack) -> None:
    ours = {f"{port:04X}" for port in small_stack.settings().ports.values()}
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and address.rpartition(":")[2] in ours:
                listening.append(address.rpartition(":")[0])
    assert listening == ["0100007F", "0100007F"]


def test_down_leaves_no_process_and_stacks_do_not_disturb_each_other(
    small_stack: Stack, tmp_path: Path, new_stack: Make
) -> None:
    other = new_stack("other")
    other.up()
    assert not set(other.settings().ports.values()) & set(small_stack.settings().ports.values())
    assert left_behind(tmp_path)
    assert other.down() == ["s3", "gitlab"]
    assert left_behind(tmp_path) == []
    assert other.down() == []
    assert states(small_stack) == {"s3": "healthy", "gitlab": "healthy"}


def test_a_service_moves_with_a_warning_when_its_port_is_taken(new_stack: Make) -> None:
    warnings: list[str] = []
    stack = new_stack(warn=warnings.append)
    stack.up()
    stack.down()
    port = stack.settings().ports["gitlab"]
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        try:
            stack.up()
            assert stack.settings().ports["gitlab"] != port
            assert states(stack) == {"s3": "healthy", "gitlab": "healthy"}
        finally:
            stack.down()
    assert [w.startswith(f"port {port} of gitlab is taken by another program") for w in warnings] == [True]


def test_a_service_that_dies_while_it_starts_is_told_with_its_last_words(tmp_path: Path, new_stack: Make) -> None:
    stack = new_stack()
    (tmp_path / "stack/gitlab").mkdir(parents=True)
    (tmp_path / "stack/gitlab/records").write_text("a file where a folder should be")
    with pytest.raises(ServiceError, match=r"gitlab ended while it started, see .*gitlab\.log:\n(.*\n)*.*FileExists"):
        stack.up()
    assert left_behind(tmp_path) == []


def test_an_interrupted_up_stops_what_it_started(tmp_path: Path, new_stack: Make) -> None:
    new_stack()  # stops what is left even if this test fails
    script = (
        "from pathlib import Path; from windlass.stack.stack import Stack; import signal, sys; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # a shell's background job would ignore it
        "Stack(Path(sys.argv[1]), report=lambda line: print(line, flush=True), environments=()).up()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "stack")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    while "gitlab: starting" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert "stopping what was started: s3, gitlab" in output
    assert left_behind(tmp_path) == []


def test_what_a_crashed_up_left_is_stopped_by_down(new_stack: Make) -> None:
    stack = new_stack()
    stack.up()
    identity = module._identity(stack.settings().processes["s3"])
    again = new_stack()
    assert again.down() == ["s3", "gitlab"]
    assert not processes.is_alive(identity)


def test_two_ups_at_once_start_one_stack(new_stack: Make) -> None:
    lines: list[str] = []
    stacks = [new_stack(report=lines.append), new_stack(report=lines.append)]
    threads = [threading.Thread(target=stack.up) for stack in stacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("starting on" in line for line in lines) == 2
    assert sum("waiting for another command" in line for line in lines) == 1


def test_secrets_are_in_no_command_line(small_stack: Stack) -> None:
    settings = small_stack.settings()
    secrets = [settings.root.secret_access_key, settings.operator_token]
    for running in settings.processes.values():
        line = Path(f"/proc/{running.pid}/cmdline").read_text()
        assert not [secret for secret in secrets if secret in line]


def test_a_missing_program_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WindlassError, match=r"ministack\) is not installed: pip install 'windlass\[stack\]'"):
        Stack(tmp_path, environments=()).up()


def test_nothing_of_the_callers_cloud_settings_reaches_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert not {"AWS_PROFILE", "HTTPS_PROXY"} & set(service.base_environment())


def test_services_whose_record_was_removed_are_found_by_down_and_by_the_next_up(
    tmp_path: Path, new_stack: Make
) -> None:
    lines: list[str] = []
    stack = new_stack(report=lines.append)
    stack.up()
    shutil.rmtree(stack.home)
    assert len(left_behind(tmp_path)) == 2
    stack.up()
    assert sum("of which there was no record" in line for line in lines) == 2
    assert len(left_behind(tmp_path)) == 2
    shutil.rmtree(stack.home)
    assert len(stack.down()) == 2
    assert left_behind(tmp_path) == []
