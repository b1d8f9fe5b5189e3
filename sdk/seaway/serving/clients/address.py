"""Where an endpoint is: its URL, taken apart and checked before anything is sent there."""

import ipaddress
import socket
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from seaway.errors import InvalidSpec

PORTS = {"http": 80, "https": 443}
HERE = {"localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}  # hosts(5)


@dataclass(frozen=True)
class Address:
    """`path` has no slash at its end, so that the protocol's paths can follow it."""

    tls: bool
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> "Address":
        """Raises: InvalidSpec where the URL is none of HTTP."""
        if not isinstance(url, str):
            raise InvalidSpec(f"{url!r} is no URL of an endpoint; write http://HOST:PORT as text.")
        try:
            parts = urlsplit(url)
            port = parts.port
            (parts.hostname or "").encode("idna")  # as it is looked up
        except ValueError as error:
            raise InvalidSpec(f"{url!r} is no URL of an endpoint: {error}. Write http://HOST:PORT.") from error
        odd = parts.query or parts.fragment or parts.username or any(ord(sign) <= ord(" ") for sign in url)
        if parts.scheme not in PORTS or not parts.hostname or odd:
            raise InvalidSpec(f"{url!r} is no URL of an endpoint; write http://HOST:PORT or https://HOST:PORT.")
        host = _plain(parts.hostname)
        return cls(parts.scheme == "https", host, port or PORTS[parts.scheme], parts.path.rstrip("/"))

    @property
    def target(self) -> str:
        """`host:port`, as gRPC names a server."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, which is never reached through a proxy."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return self.host in HERE or self.host.endswith(".localhost")
        return address.is_loopback or address.is_unspecified


def _plain(host: str) -> str:
    """The one spelling that Python and gRPC both understand, so that they agree on which host it is."""
    host = unicodedata.normalize("NFKC", host)
    short = host.removesuffix(".")  # the root, which names no other host where an address or this machine is meant
    try:
        return socket.inet_ntoa(socket.inet_aton(short))  # 127.1 and 2130706433 are 127.0.0.1
    except OSError:
        pass
    try:
        mapped = getattr(ipaddress.ip_address(host), "ipv4_mapped", None)
        return str(mapped) if mapped else host
    except ValueError:
        return short if short in HERE or short.endswith(".localhost") else host
