"""A PostgreSQL of a test's own on a Unix socket: its server refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
BIN = Path(named) if (named := os.environ.get("SEAWAY_TEST_POSTGRES")) else FOLDERS[-1] if FOLDERS else None


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The address of a running server, its data and socket in `folder`."""
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    as_user = _owner(folder)
    _tool(as_user, "initdb", "-D", data, "-A", "trust", "-U", "seaway", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    _tool(as_user, "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    try:
        yield f"postgresql://seaway@/postgres?host={folder}"
    finally:
        _tool(as_user, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _owner(folder: Path) -> str | None:
    """Root gives the folder to the user `postgres`, and anybody else is the server's user."""
    if os.geteuid():
        return None
    shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
    return "postgres"


def _tool(user: str | None, name: str, *words: object) -> None:
    command = [str(BIN / name), *map(str, words)]
    subprocess.run(command, user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)
