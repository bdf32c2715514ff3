"""Real processes that misbehave in every way that a job can."""

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from windlass.runtime import lines, process
from windlass.runtime.process import Finished, Limits, run_script

SECOND = timedelta(seconds=1)


def run(script: str, folder: Path, limit: timedelta = 20 * SECOND, grace: timedelta = 0.3 * SECOND) -> Finished:
    return run_script(script, folder, limit, lambda line: None, grace=grace)


def alive(mark: str) -> list[str]:
    """The command lines of processes that carry `mark`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in command and int(entry.parent.name) != os.getpid():
            found.append(command)
    return found


def sleeper(mark: str) -> str:
    """A command that would run for minutes and can be found by `mark`."""
    return f"{sys.executable} -c 'import time; time.sleep(300)' {mark}"


@pytest.fixture
def mark() -> str:
    return f"mark-{uuid.uuid4().hex}"


def test_a_script_that_ends_well_has_no_reason(tmp_path: Path) -> None:
    finished = run("echo one; echo two >&2", tmp_path)
    assert (finished.code, finished.reason, finished.tail) == (0, None, ("one", "two"))


def test_an_exit_code_is_the_reason(tmp_path: Path) -> None:
    assert run("exit 7", tmp_path).reason == "ended with exit code 7"


@pytest.mark.parametrize(
    ("script", "why"), [("true " + "x" * 200_000, "argument list too long"), ("true \0", "embedded null byte")]
)
def test_a_script_that_the_system_refuses_is_a_reason_and_no_crash(tmp_path: Path, script: str, why: str) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert run(script, tmp_path).reason == f"could not be started ({why})"
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_script_that_is_killed_says_by_what(tmp_path: Path) -> None:
    assert run("kill -40 $$", tmp_path).reason == "was killed by signal 40"
    assert run("kill -SEGV $$", tmp_path).reason == "was killed by SIGSEGV"
    assert "too little memory" in str(run("kill -KILL $$", tmp_path).reason)


def test_a_script_starts_in_its_folder_and_reads_nothing(tmp_path: Path) -> None:
    assert run("pwd; cat; echo $HOME", tmp_path).tail == (str(tmp_path), str(tmp_path))


def test_secrets_of_the_worker_are_not_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AIRFLOW__CORE__FERNET_KEY", "CI_JOB_TOKEN", "GITLAB_TOKEN"):
        monkeypatch.setenv(name, "secret-value")
    finished = run("env", tmp_path)
    names = {line.partition("=")[0] for line in finished.tail}
    assert names <= {"PATH", "HOME", "LANG", "PWD", "PYTHONUNBUFFERED", "SHLVL", "_"}
    # nor can it be read from the processes above it that windlass started
    assert "secret-value" not in "".join(run("tr '\\0' '\\n' < /proc/$PPID/environ", tmp_path).tail)


def test_the_python_that_runs_windlass_comes_first(tmp_path: Path) -> None:
    assert run("command -v python", tmp_path).tail == (str(Path(sys.executable).with_name("python")),)


def test_a_script_that_hangs_is_stopped_at_its_time_limit(tmp_path: Path, mark: str) -> None:
    finished = run(sleeper(mark), tmp_path, limit=SECOND)
    assert finished.reason == "was stopped at its time limit of 1 second"
    assert finished.seconds < 5
    assert not alive(mark)


def test_a_polite_script_has_the_grace_to_tidy_up(tmp_path: Path) -> None:
    script = "trap 'sleep 0.3; echo tidied; exit 1' TERM; while true; do sleep 0.1; done"
    assert run(script, tmp_path, limit=SECOND, grace=5 * SECOND).tail[-1] == "tidied"


def test_children_that_ignore_the_signal_are_killed_after_the_grace(tmp_path: Path, mark: str) -> None:
    ignoring = (
        f"""{sys.executable} -c 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(300)' {mark}"""
    )
    finished = run(f"{ignoring} & {ignoring} & wait", tmp_path, limit=2 * SECOND)
    assert finished.seconds < 8
    assert not alive(mark)


def test_a_script_that_ignores_the_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    finished = run("trap '' TERM; while true; do sleep 0.1; done", tmp_path, limit=SECOND)
    assert finished.reason == "was stopped at its time limit of 1 second"
    assert finished.code == -signal.SIGKILL
    assert finished.seconds < 6


def test_what_a_script_leaves_in_the_background_ends_with_it(tmp_path: Path, mark: str) -> None:
    finished = run(f"{sleeper(mark)} & echo started", tmp_path)
    assert finished.reason is None
    assert finished.seconds < 5
    assert not alive(mark)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can adopt daemons")
def test_a_daemon_that_left_the_session_ends_too(tmp_path: Path, mark: str) -> None:
    finished = run(f"setsid setsid {sleeper(mark)} > /dev/null 2>&1 & sleep 0.5; exit 3", tmp_path)
    assert finished.code == 3
    assert not alive(mark)


def test_four_megabytes_of_output_arrive_line_by_line(tmp_path: Path) -> None:
    seen: list[str] = []
    script = "yes 123456789 | head -c 4000000"
    finished = run_script(script, tmp_path, 60 * SECOND, seen.append)
    assert len(seen) == 400_000
    assert finished.tail == ("123456789",) * lines.TAIL


def test_of_a_hundred_megabytes_the_first_and_the_last_are_shown(tmp_path: Path) -> None:
    seen: list[str] = []
    block = f"yes {'x' * 3999} | head -c 50000000"
    finished = run_script(f"{block}; echo between; {block}; echo the end", tmp_path, 60 * SECOND, seen.append)
    assert finished.reason is None
    assert seen[-1] == "the end" and "between" not in seen
    assert sum(map(len, seen)) < lines.FIRST + lines.LAST + 10_000
    (left_out,) = (int(line.split()[1]) for line in seen if line.endswith("lines are left out here"))
    notes = 2
    assert left_out + len(seen) - notes == 25_002


def test_a_script_that_takes_more_memory_than_it_may_is_killed(tmp_path: Path, mark: str) -> None:
    half = f"{sys.executable} -c 'import time; kept = bytearray(60_000_000); time.sleep(300)' {mark}"
    limits = Limits(memory=100 * 1024**2, flavor="small")
    finished = run_script(f"{half} & {half}", tmp_path, 60 * SECOND, print, limits=limits)
    assert finished.reason == "was ended because it needs more memory than the 100Mi of its flavor 'small'"
    assert not alive(mark)


def test_memory_that_processes_share_counts_once(tmp_path: Path) -> None:
    script = "import os, time; kept = b'x' * 60_000_000; [os.fork() for _ in range(2)]; time.sleep(1)"
    limits = Limits(memory=150 * 1024**2)
    assert run_script(f'{sys.executable} -c "{script}"', tmp_path, 60 * SECOND, print, limits=limits).reason is None


def test_the_peak_of_memory_is_told(tmp_path: Path) -> None:
    finished = run(f"{sys.executable} -c 'kept = bytearray(80_000_000)'", tmp_path)
    assert finished.peak is not None and 80_000_000 < finished.peak < 200_000_000


def test_a_script_that_starts_ever_more_processes_is_killed(tmp_path: Path, mark: str) -> None:
    script = f"for i in $(seq 200); do (trap '' TERM; : {mark}; while :; do sleep 1; done) & done; wait"
    finished = run_script(script, tmp_path, 60 * SECOND, print, limits=Limits(processes=50))
    assert finished.reason == "was ended because it started more than 50 processes at once"
    assert not alive(mark)


def test_a_script_that_fills_its_disk_is_killed(tmp_path: Path) -> None:
    limits = Limits(disk_left=10**15)
    finished = run_script("sleep 60", tmp_path, 60 * SECOND, print, limits=limits)
    assert str(finished.reason).startswith("was ended because it filled its disk: less than ")


def test_one_endless_line_is_cut_and_takes_no_memory(tmp_path: Path) -> None:
    seen: list[str] = []
    run_script("head -c 5000000 /dev/zero | tr '\\0' x; echo; echo after", tmp_path, 20 * SECOND, seen.append)
    assert seen == ["x" * lines.LINE_LENGTH + " ... (cut)", "after"]


def test_output_that_is_no_text_and_progress_bars_do_no_harm(tmp_path: Path) -> None:
    script = "printf '10%%\\r20%%\\r\\nend \\377\\376 of'"
    assert run(script, tmp_path).tail == ("10%", "20%", "end \ufffd\ufffd of")


def test_output_arrives_while_the_script_still_runs(tmp_path: Path) -> None:
    seen: list[str] = []

    def log(line: str) -> None:
        seen.append(line)
        (tmp_path / "seen").touch()

    waiting = "echo a; while ! test -e seen; do sleep 0.01; done; echo b"
    assert run_script(waiting, tmp_path, 60 * SECOND, log).reason is None
    assert seen == ["a", "b"]


def test_an_error_in_the_log_ends_the_script(tmp_path: Path, mark: str) -> None:
    def full(line: str) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        run_script(f"echo go; {sleeper(mark)}", tmp_path, 60 * SECOND, full, grace=SECOND)
    assert not alive(mark)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_the_worker_is_interrupted_or_killed(tmp_path: Path, mark: str, number: int) -> None:
    worker = textwrap.dedent(f"""
        from datetime import timedelta
        from pathlib import Path
        from windlass.runtime.process import run_script
        run_script({sleeper(mark)!r}, Path({str(tmp_path)!r}), timedelta(minutes=5), print, grace=timedelta(seconds=1))
    """)
    started = subprocess.Popen([sys.executable, "-c", worker, "worker"], stderr=subprocess.DEVNULL)
    wait_until(lambda: any("time.sleep" in command and "run_script" not in command for command in alive(mark)))
    started.send_signal(number)
    started.wait(60)
    wait_until(lambda: not alive(mark))


def test_nothing_is_left_when_the_worker_dies_before_the_watcher_has_begun(mark: str) -> None:
    report, report_end = os.pipe()
    os.close(report)
    warden = [sys.executable, "-I", "-S", str(Path(process.__file__).with_name("warden.py"))]
    command = [*warden, "300", "1", str(report_end), "0:0:0", "/bin/sh", "-c", sleeper(mark)]
    subprocess.run(command, stdin=subprocess.DEVNULL, pass_fds=[report_end], timeout=60, check=True)
    os.close(report_end)
    assert not alive(mark)


def test_a_watcher_that_is_killed_takes_the_script_with_it(tmp_path: Path, mark: str) -> None:
    finished = run(f"sleep 0.2; kill -KILL $PPID; {sleeper(mark)}", tmp_path)
    assert finished.reason == "ended unseen: the process that watches over it was killed"
    wait_until(lambda: not alive(mark))


def wait_until(holds: object) -> None:
    assert callable(holds)
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_daemons_are_asked_how_they_ended_while_the_script_runs(tmp_path: Path) -> None:
    count = "for stat in /proc/[0-9]*/stat; do grep -qs ' Z '$PPID' ' $stat && echo; done | wc -l"
    orphans = "i=0; while [ $i -lt 50 ]; do (true &); i=$((i+1)); done"
    waited = f"i=0; while [ $({count}) -gt 5 ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); done; {count}"
    assert int(run(f"{orphans}; {waited}", tmp_path).tail[-1]) <= 5


READY = "while [ ! -e ready ]; do sleep 0.01; done"


@pytest.mark.parametrize("number", ["KILL", "STOP"])
def test_a_script_that_kills_or_stops_what_watches_over_it_leaves_no_daemon(
    tmp_path: Path, mark: str, number: str
) -> None:
    (tmp_path / "daemon.sh").write_text(f": > ready; exec {sleeper(mark)}")
    finished = run(f"(setsid sh daemon.sh &); {READY}; kill -{number} $PPID; {sleeper(mark)}", tmp_path)
    assert finished.reason == "ended unseen: the process that watches over it was killed"
    assert not alive(mark)


def test_a_process_that_always_starts_its_successor_and_ends_is_caught(tmp_path: Path) -> None:
    flees = """
        import fcntl, os
        lock = open("lock", "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        for generation in range(20_000):
            if os.fork():
                os._exit(0)
            os.setsid()
            if generation == 20:
                open("ready", "w")
    """
    (tmp_path / "flees.py").write_text(textwrap.dedent(flees))
    assert run(f"{sys.executable} -S flees.py & {READY}", tmp_path).reason is None
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while one of them lives
