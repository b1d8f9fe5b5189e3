"""A PostgreSQL of a test's own on a Unix socket: its server refuses to run as root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
BIN = Path(named) if (named := os.environ.get("SEAWAY_TEST_POSTGRES")) else FOLDERS[-1] if FOLDERS else None


@contextmanager
def folder() -> Iterator[Path]:
    """For a server's data: of a short name, for its socket, and in one that the server's user may enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "pg"


@contextmanager
def stopped(folder: Path) -> Iterator[None]:
    """The server of `folder` has ended, all connections with it; it is started again after the block."""
    data, as_user = folder / "data", _owner(folder)
    _tool(as_user, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    try:
        yield
    finally:
        _tool(as_user, "pg_ctl", "-D", data, "-o", _options(folder), "-l", folder / "log", "-w", "start")


def processes(folder: Path) -> list[psutil.Process]:
    """The server of `folder` and what it has started: one for each connection, and its own."""
    server = psutil.Process(int((folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0]))
    return [server, *server.children()]


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The address of a running server, its data and socket in `folder`."""
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    as_user = _owner(folder)
    _tool(as_user, "initdb", "-D", data, "-A", "trust", "-U", "seaway", "--no-sync")
    _tool(as_user, "pg_ctl", "-D", data, "-o", _options(folder), "-l", folder / "log", "-w", "start")
    try:
        yield f"postgresql://seaway@/postgres?host={folder}"
    finally:
        _tool(as_user, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _options(folder: Path) -> str:
    return f"-k {folder} -c listen_addresses='' -c fsync=off"


def _owner(folder: Path) -> str | None:
    """Root gives the folder to the user `postgres`, and anybody else is the server's user."""
    if os.geteuid():
        return None
    shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
    return "postgres"


def _tool(user: str | None, name: str, *words: object) -> None:
    command = [str(BIN / name), *map(str, words)]
    subprocess.run(command, user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)
