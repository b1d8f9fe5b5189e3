"""Certificates that an endpoint and a client are given: what is told of those that cannot be used."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from seaway.errors import InvalidSpec
from seaway.serving import Tls, Trust

AUTHORITY = trustme.CA()
Made = Callable[..., Tls]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    for name in ("SEAWAY_TLS_CERTIFICATE", "SEAWAY_TLS_KEY", "SEAWAY_TLS_CLIENT_CA", "SEAWAY_CA",
                 "SEAWAY_CLIENT_CERTIFICATE", "SEAWAY_CLIENT_KEY"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)

    def files(*names: str, **settings: datetime) -> Tls:
        certificate = AUTHORITY.issue_cert(*names, **settings)
        certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
        certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
        return Tls(tmp_path / "both.pem", tmp_path / "key.pem")

    return files


@pytest.mark.parametrize(
    ("names", "host"),
    [(["127.0.0.1"], "127.0.0.1"), (["localhost"], "localhost"), (["localhost", "127.0.0.1", "a.b"], "127.0.0.1")],
)
def test_the_url_calls_an_endpoint_as_its_certificate_does(made: Made, names: list[str], host: str) -> None:
    assert made(*names).host() == host


def test_a_certificate_of_another_name_or_time_is_refused(made: Made) -> None:
    with pytest.raises(InvalidSpec, match=r"example\.com.*IP:127\.0\.0\.1"):
        made("example.com", "10.0.0.1").host()
    now = datetime.now(UTC)
    for begin, end in ((-2, -1), (1, 2)):
        days = {"not_before": now + timedelta(begin), "not_after": now + timedelta(end)}
        with pytest.raises(InvalidSpec, match="renew it"):
            made("127.0.0.1", **days).host()


def test_files_that_cannot_be_used_are_named(made: Made, tmp_path: Path) -> None:
    tls = made("127.0.0.1")
    (tmp_path / "text").write_text("no certificate")
    locked = tmp_path / "locked.pem"
    key = serialization.load_pem_private_key(tls.key.read_bytes(), None)
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
    )
    for wrong, named in (
        (Tls(tmp_path / "absent", tls.key), "absent"),
        (Tls(tls.certificate, tmp_path / "absent"), "absent"),
        (Tls(tmp_path / "text", tls.key), "text"),
        (Tls(tls.certificate, locked), "both.pem"),
        (Tls(tls.certificate, tls.key, tmp_path / "text"), "text"),
        (Tls(tls.certificate, tls.key, tmp_path / "absent"), "absent"),
    ):
        with pytest.raises(InvalidSpec, match=named):
            wrong.host()
    for trust in (Trust(tmp_path / "text"), Trust(tmp_path / "absent"), Trust(None, tls.certificate, locked)):
        with pytest.raises(InvalidSpec, match="A client's TLS"):
            trust.context()
        with pytest.raises(InvalidSpec, match="A client's TLS"):
            trust.credentials()
    assert Trust(None, tls.certificate).context(), "a key may be in the file of its certificate"


def test_the_environment_fills_what_is_not_given(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Tls.here() is None
    assert Trust.here() == Trust()
    monkeypatch.setenv("SEAWAY_TLS_CERTIFICATE", "a.pem")
    with pytest.raises(InvalidSpec, match="no key"):
        Tls.here()
    monkeypatch.setenv("SEAWAY_TLS_KEY", "a.key")
    assert Tls.here() == Tls(Path("a.pem").absolute(), Path("a.key").absolute())
    assert Tls.of(Path("/b.pem"), None, Path("/ca.pem")) == Tls(
        Path("/b.pem"), Path("a.key").absolute(), Path("/ca.pem")
    )
    monkeypatch.setenv("SEAWAY_CLIENT_CERTIFICATE", "/mine.pem")
    monkeypatch.setenv("SEAWAY_CLIENT_KEY", "/mine.key")
    assert Trust.here() == Trust(None, Path("/mine.pem"), Path("/mine.key"))
    assert Trust.of(Path("/ca"), Path("/other.pem"), None) == Trust(Path("/ca"), Path("/other.pem"), None)
