"""Runs `windlass lint` and all else that reads a project under an audit hook that ends the process at a forbidden act.

Started as a script: `watched_lint.py FOLDER [all]` runs lint and one or all of the other commands in each project in
FOLDER and prints what happened as JSON. The hook is there before anything of windlass is imported, so the first project
sees a process that just began. Exit code 99 and a line on standard error mean a forbidden act.
"""

import contextlib
import importlib.util
import io
import json
import os
import sys
import sysconfig
import time
import zoneinfo
from pathlib import Path

PROJECT = FOLDER = Path(sys.argv[1]).resolve()
EVERY = "all" in sys.argv[2:]
READABLE = [
    *(Path(entry).resolve() for entry in zoneinfo.TZPATH if Path(entry).exists()),
    *(Path(path).resolve() for path in {*sysconfig.get_paths().values(), sys.base_prefix, sys.prefix}),
    *(Path(path).resolve() for path in importlib.util.find_spec("windlass").submodule_search_locations),
]
FORBIDDEN = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.spawn",
    "socket.",
    "ctypes.",
    "urllib.",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "shutil.",
)


def refuse(what: str) -> None:
    os.write(2, f"forbidden in {PROJECT.name}: {what}\n".encode(errors="backslashreplace"))
    os._exit(99)


def hook(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(FORBIDDEN):
        refuse(f"{event} {arguments!r:.200}")
    if event == "open":
        path, mode, flags = arguments
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
            isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        )
        real = Path(os.path.realpath(os.fsdecode(path)))
        if writes or not any(real.is_relative_to(root) for root in (*READABLE, PROJECT)):
            refuse(f"open {path!r} {mode!r}")
    if event == "exec":
        filename = getattr(arguments[0], "co_filename", "")
        if not filename.startswith("<") and Path(filename).resolve().is_relative_to(PROJECT):
            refuse(f"the project's code was run: {arguments[0]!r}")
    if event == "import":
        name, filename = str(arguments[0]), arguments[1]
        if name.partition(".")[0] in ("airflow", "boto3", "gitlab", "requests") or (
            filename and Path(str(filename)).resolve().is_relative_to(PROJECT)
        ):
            refuse(f"import {name}")


COMMANDS = {
    "lint": ("lint", "."),
    "render": ("render", "--project", "digits"),
    "explain": ("explain", "x"),
    "schema": ("schema", "pipeline"),
    "fix": ("lint", "--diff"),
}


def run(project: Path, arguments: tuple[str, ...]) -> dict[str, object]:
    os.chdir(project)
    sys.path[0] = str(project)  # as far as a hostile project could hope for
    sys.argv = ["windlass", *arguments]
    said, code, begin = io.StringIO(), None, time.process_time()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return {"code": code, "said": said.getvalue(), "seconds": time.process_time() - begin}


sys.dont_write_bytecode = True
sys.path.insert(0, "")
import socket  # noqa: E402, F401 - the hook is about its use

sys.addaudithook(hook)

from windlass.cli.main import main  # noqa: E402 - only after the hook is set

results = {}
others = list(COMMANDS)[1:]
for i, PROJECT in enumerate(sorted(FOLDER.iterdir())):
    chosen = list(COMMANDS) if i == 0 or EVERY else ["lint"] + ([] if i % 3 else [others[i // 3 % len(others)]])
    results[PROJECT.name] = {name: run(PROJECT, COMMANDS[name]) for name in chosen}
sys.stdout.write(json.dumps(results))
