"""Where an endpoint is: its URL, taken apart and checked before anything is sent there."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from seaway.errors import InvalidSpec

PORTS = {"http": 80, "https": 443}


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
        return cls(parts.scheme == "https", parts.hostname, port or PORTS[parts.scheme], parts.path.rstrip("/"))

    @property
    def target(self) -> str:
        """`host:port`, as gRPC names a server."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, which is never reached through a proxy."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")
