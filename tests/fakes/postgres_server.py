"""A real PostgreSQL on a free port, without durability; as root it runs as the user `postgres`, for it refuses root."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "20",
    "autovacuum": "off",
}
PASSWORD = "the password of the database"


def programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`: that of the newest server; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def postgres_server() -> Iterator[dict[str, object]]:
    """The keyword arguments by which psycopg connects to a new, empty server; its user may do everything."""
    bin_folder = programs()
    assert bin_folder is not None, "there is no PostgreSQL server here; install postgresql"
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="windlass-postgres-"))
    secret, data = folder / "password", folder / "data"
    secret.write_text(PASSWORD)
    if user:
        for path in (folder, secret):
            shutil.chown(path, user)
    port = _free_port()
    options = " ".join(f"-c {key}={value}" for key, value in (SETTINGS | {"port": str(port)}).items())

    def run(program: str, *arguments: str) -> None:
        command = [str(bin_folder / program), "-D", str(data), *arguments]
        log = folder / f"{program}.log"
        with log.open("wb") as output:
            done = subprocess.run(
                command, user=user, cwd=folder, stdout=output, stderr=output, env={"LC_ALL": "C.UTF-8"}
            )
        assert done.returncode == 0, log.read_text()

    try:
        run("initdb", "-U", "windlass", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync", "-N")
        run("pg_ctl", "-w", "-o", f"{options} -k {folder}", "-l", str(folder / "server.log"), "start")
        try:
            yield {"host": "127.0.0.1", "port": port, "user": "windlass", "password": PASSWORD, "dbname": "postgres"}
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
