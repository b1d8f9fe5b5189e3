"""The page's server on loopback: one a state folder, found again by what it writes there."""

import json
import os
import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from seaway.dev.access import Access
from seaway.errors import DataUnreadable, PortTaken
from seaway.platforms.home import home
from seaway.process_identity import running
from seaway.storage import read_json, write_json

LOOPBACK = "127.0.0.1"
GRACE_S = 1  # that streams get to end
Tell = Callable[[str], None]


def serve(port: int, opening: bool, tell: Tell) -> None:
    """Serve until Ctrl-C; where a server of this state folder runs already, only tell its address.

    Args:
        port: on loopback; 0 takes a free one.
        opening: whether to open a browser.
        tell: is given lines for the reader.

    Raises:
        PortTaken: somebody else listens on the port.
    """
    folder = home() / "dev"
    folder.mkdir(exist_ok=True)
    access = Access(folder)
    if port_of_other := _running(folder):
        _invite(port_of_other, access, opening, tell)
        return
    with _bound(port) as listener:
        taken = listener.getsockname()[1]
        with _recorded(folder, taken):
            _invite(taken, access, opening, tell)
            _run(access, listener)


def _invite(port: int, access: Access, opening: bool, tell: Tell) -> None:
    address = f"http://{LOOPBACK}:{port}"
    link = f"{address}/open?ticket={access.ticket()}"
    tell(f"Runs of {home()} are shown at {address}. To come in, open this link, which works once:\n  {link}")
    tell(f"For kfp and scripts: the token in {access.file}. Ctrl-C ends the page; runs go on.")
    if opening:
        webbrowser.open(link)


def _run(access: Access, listener: socket.socket) -> None:
    import uvicorn

    from seaway.dev.app import application
    from seaway.dev.uis.children import Children

    children = Children()
    config = uvicorn.Config(
        application(access, children), log_level="critical", access_log=False, timeout_graceful_shutdown=GRACE_S,
        server_header=False, lifespan="off",
    )  # fmt: skip
    try:
        uvicorn.Server(config).run([listener])
    finally:
        children.end()


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            listener.listen()
        except OSError as error:
            told = f"Port {port} cannot be listened on ({error.strerror}); give another: seaway dev --port 0."
            raise PortTaken(told) from error
        yield listener


@contextmanager
def _recorded(folder: Path, port: int) -> Iterator[None]:
    file = folder / "server.json"
    write_json(file, {"port": port, "pid": os.getpid(), "started": psutil.Process().create_time()})
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _running(folder: Path) -> int | None:
    """The port of the server that this folder has."""
    try:
        kept = read_json(folder / "server.json")
    except (DataUnreadable, json.JSONDecodeError):
        return None
    return int(kept["port"]) if running(kept["pid"], kept["started"]) else None
