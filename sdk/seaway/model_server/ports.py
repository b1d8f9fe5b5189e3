"""Ports on loopback. Where any port will do, bind port 0: the system gives one that no one else can have."""

import socket

import psutil

from seaway.errors import PortTaken

LOOPBACK = "127.0.0.1"


def require_free(port: int) -> None:
    """Raises: PortTaken where another process holds the port, naming that process where the system tells it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortTaken(
                f"Port {port} on {LOOPBACK} cannot be used ({error.strerror}); {owner(port)}. "
                "Choose another one, or 0 for any free one."
            ) from error


def owner(port: int) -> str:
    """Who listens on the port, in words."""
    try:
        listeners = [
            connection
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        ]
    except psutil.AccessDenied:
        listeners = []
    for listener in listeners:
        if listener.pid:
            return f"process {listener.pid} ({psutil.Process(listener.pid).name()}) listens on it"
    return "the system does not tell which process holds it"
