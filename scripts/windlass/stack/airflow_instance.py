"""`python -m windlass.stack.airflow_instance FOLDER TEMPLATES COMPONENT...`: runs one whole Airflow instance.

Airflow is imported once and each component is forked from there: on two cores, three instances of four components each
are up in half the time and half the memory that `airflow standalone` takes. When one component ends, all end.
"""

import fcntl
import gc
import os
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

GRACE, TRIGGERER_GRACE = 8.0, 1.5


def main() -> None:
    """Makes the database if there is none, runs the components, and ends with the first that ends or with TERM."""
    folder, templates, components = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    _import_airflow()
    _database(folder, templates)
    children = {_fork(_arguments(name), folder / "logs" / f"{name}.log"): name for name in components}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        pid, status = os.wait()
        name = children.pop(pid, "a component")
        sys.exit(f"{name} ended with {os.waitstatus_to_exitcode(status)}: see {folder / 'logs' / name}.log")
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        _end(children)


def _import_airflow() -> None:
    import airflow.__main__
    import airflow.cli.commands.dag_processor_command
    import airflow.cli.commands.db_command
    import airflow.cli.commands.scheduler_command
    import airflow.executors.local_executor  # noqa: F401 - loaded once here, for every forked component

    gc.collect()
    gc.freeze()  # shared pages stay shared in the forked components


def _arguments(component: str) -> list[str]:
    # The log server would listen on every interface; the API server reads the same disk and needs none.
    return [component, "--skip-serve-logs"] if component in ("scheduler", "triggerer") else [component]


def _database(folder: Path, templates: Path) -> None:
    """A migrated database: the first instance of a stack makes it, the others get copies."""
    release = version("apache-airflow-core")
    mark, database, template = folder / "airflow-version", folder / "airflow.db", templates / f"airflow-{release}.db"
    if database.exists() and mark.exists() and mark.read_text() == release:
        return
    templates.mkdir(parents=True, exist_ok=True)
    with (templates / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if template.exists() and not database.exists():
            _copy(template, database)
        else:
            status = os.waitpid(_fork(["db", "migrate"], folder / "logs" / "migrate.log"), 0)[1]
            if status:
                sys.exit(f"airflow could not make its database: see {folder / 'logs' / 'migrate.log'}")
            if not template.exists() and not mark.exists():
                _copy(database, template)
    mark.write_text(release)


def _copy(source: Path, target: Path) -> None:
    """A copy by SQLite itself: part of a database may still be in its write-ahead log."""
    aside = target.with_suffix(".new")
    aside.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(aside)) as copy:
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    aside.replace(target)


def _fork(arguments: list[str], log: Path) -> int:
    """The number of a child that runs `airflow ARGUMENTS` and writes to `log`."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(arguments, log)
    return pid


def _become(arguments: list[str], log: Path) -> NoReturn:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    code = 1
    try:
        import airflow.__main__
        from setproctitle import setproctitle

        setproctitle(f"airflow {' '.join(arguments)} ({log.parents[1]})")
        sys.argv = ["airflow", *arguments]
        airflow.__main__.main()  # type: ignore[no-untyped-call]  # Airflow's command line has no types
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the outermost frame of this process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # never back into the parent's frames


def _end(children: dict[int, str]) -> None:
    """TERM to all, KILL to what is left; the triggerer gets less time: it waits for a child that has gone."""
    _signal(children, signal.SIGTERM)
    began = time.monotonic()
    while children and (waited := time.monotonic() - began) < GRACE:
        children = {pid: name for pid, name in children.items() if os.waitpid(pid, os.WNOHANG)[0] == 0}
        if waited > TRIGGERER_GRACE:
            _signal((pid for pid, name in children.items() if name == "triggerer"), signal.SIGKILL)
        time.sleep(0.05)
    _signal(children, signal.SIGKILL)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)  # our own children, not yet waited for: the number cannot be another's


if __name__ == "__main__":
    main()
