"""Ports for programs that the tests start: none that the kernel gives to outgoing connections.

A port that was asked of the kernel as number 0 is one of those, and can be another connection's by the time that the
program opens it, or opens it again after a restart.
"""

import secrets
import socket

LOWEST, BEYOND = 10240, 32768  # where outgoing connections begin: net.ipv4.ip_local_port_range
ATTEMPTS = 1000


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int, address: str = "127.0.0.1", twin: int = 0) -> list[int]:
    """So many ports that nobody listens on; those `twin` higher are free too. Raises: OSError: there are too few."""
    found: list[int] = []
    for _ in range(ATTEMPTS):
        port = LOWEST + secrets.randbelow(BEYOND - twin - LOWEST)
        if port not in found and all(is_free(address, each) for each in {port, port + twin}):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"{address} has no {count} free ports")


def is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
