"""TLS of an endpoint on this machine: what it shows to callers, and whom it lets in."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seaway.errors import InvalidSpec

VARIABLES = {
    "certificate": "SEAWAY_TLS_CERTIFICATE",
    "key": "SEAWAY_TLS_KEY",
    "client_ca": "SEAWAY_TLS_CLIENT_CA",
}
ADDRESS, NAME = "127.0.0.1", "localhost"  # an endpoint listens on loopback only


@dataclass(frozen=True)
class Tls:
    """Files in PEM; what is in them may be renewed at any time by a rename, and counts from the next connection on.

    Args:
        certificate: Of the endpoint, for 127.0.0.1 or localhost, and then those that lead to its authority.
        key: Its private key, without a password.
        client_ca: Authorities that vouch for callers: whoever shows no certificate of theirs is sent away. None asks
            callers for none.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    @classmethod
    def of(cls, certificate: Path | None, key: Path | None, client_ca: Path | None) -> "Tls | None":
        """What is given, and for the rest what the environment says; None where there is nothing of it.

        Raises: InvalidSpec: there is only a part of what it takes.
        """
        given = {"certificate": certificate, "key": key, "client_ca": client_ca}
        found = {name: value or os.environ.get(VARIABLES[name]) for name, value in given.items()}
        paths = {name: Path(value).absolute() for name, value in found.items() if value}
        if not paths:
            return None
        if missing := sorted({"certificate", "key"} - paths.keys()):
            named = " and ".join(f"{name} ({VARIABLES[name]})" for name in missing)
            raise InvalidSpec(f"An endpoint with TLS has no {named}; give a certificate and its key.")
        return cls(**paths)

    @classmethod
    def here(cls) -> "Tls | None":
        """What the environment says. Raises: InvalidSpec: only a part of it."""
        return cls.of(None, None, None)

    def host(self) -> str:
        """What a URL calls the endpoint by, as the certificate does.

        Raises:
            InvalidSpec: the files cannot be read, do not belong together, are over, or name neither.
        """
        with _reading(self.key):
            self.key.read_bytes()  # OpenSSL does not say which of two files is missing
        with _reading(self.certificate):
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, password=lambda: "")
        if self.client_ca:
            with _reading(self.client_ca):
                ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.client_ca)
        names, addresses = self._subjects()
        if ADDRESS in addresses:
            return ADDRESS
        if NAME in names:
            return NAME
        raise InvalidSpec(
            f"The certificate {self.certificate} is for {sorted(names | addresses) or 'no name'}, and the endpoint is "
            f"at {ADDRESS}: have one made with the subject alternative name IP:{ADDRESS} or DNS:{NAME}."
        )

    def _subjects(self) -> tuple[set[str], set[str]]:
        """Names and addresses that the certificate is for. Raises: InvalidSpec: it is over, or not yet."""
        from cryptography import x509

        leaf = x509.load_pem_x509_certificates(self.certificate.read_bytes())[0]
        if not leaf.not_valid_before_utc <= datetime.now(UTC) <= leaf.not_valid_after_utc:
            raise InvalidSpec(
                f"The certificate {self.certificate} is valid from {leaf.not_valid_before_utc} to "
                f"{leaf.not_valid_after_utc} only; renew it."
            )
        try:
            found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return set(), set()
        addresses = found.get_values_for_type(x509.IPAddress)
        return set(found.get_values_for_type(x509.DNSName)), set(map(str, addresses))


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise InvalidSpec(
            f"TLS cannot be had by {file}: {error}. Give PEM files that belong together, the key without a password."
        ) from error
