"""What a client believes of a server that speaks TLS, and shows to it."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec

VARIABLES = {"ca": "SEAWAY_CA", "certificate": "SEAWAY_CLIENT_CERTIFICATE", "key": "SEAWAY_CLIENT_KEY"}


@dataclass(frozen=True)
class Trust:
    """Files in PEM.

    Args:
        ca: Authorities, of which one must vouch for the server; None takes the machine's, or those of SSL_CERT_FILE.
        certificate: Of this client, and then those that lead to its authority; None shows none.
        key: Its private key, without a password; None finds it in the file of the certificate.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def of(cls, ca: Path | None, certificate: Path | None, key: Path | None) -> "Trust":
        """What is given, and for the rest what the environment says; a certificate and its key go together."""
        here = cls.here()
        pair = (certificate, key) if certificate else (here.certificate, here.key)
        return cls(ca or here.ca, *pair)

    @classmethod
    def here(cls) -> "Trust":
        """What the environment says: SEAWAY_CA, SEAWAY_CLIENT_CERTIFICATE and SEAWAY_CLIENT_KEY."""
        found = {name: os.environ.get(variable) for name, variable in VARIABLES.items()}
        return cls(**{name: Path(value) if value else None for name, value in found.items()})

    def context(self) -> ssl.SSLContext:
        """For Python's connections. Raises: InvalidSpec: a file cannot be read, or the key is another's."""
        try:
            made = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                made.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except (OSError, ValueError) as error:
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.key) if file)
            raise InvalidSpec(
                f"A client's TLS cannot be had by {files}: {error}. Give PEM files; certificate and key must belong "
                "together, the key without a password."
            ) from error
        return made

    def credentials(self) -> Any:
        """For gRPC. Raises: InvalidSpec, as `context`."""
        import grpc

        self.context()  # gRPC itself tells of a broken file by a connection that never comes
        ca = self.ca or _machine()
        chain = self.certificate.read_bytes() if self.certificate else None
        key = (self.key or self.certificate or Path()).read_bytes() if chain else None
        return grpc.ssl_channel_credentials(ca.read_bytes() if ca else None, key, chain)


def _machine() -> Path | None:
    """Those that Python's TLS trusts; None for gRPC's own."""
    file = ssl.get_default_verify_paths().cafile
    return Path(file) if file else None
