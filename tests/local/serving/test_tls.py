"""An endpoint with TLS: who is let in, what a renewed certificate changes, and that all that goes on without."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from cryptography import x509
from seaway.cli.predict import predict_rows
from seaway.errors import InferenceUnavailable, InvalidSpec
from seaway.model_server.envoy import process
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.platforms.local.serving.traffic import EnvoyMetrics, EnvoyTraffic
from seaway.serving import Client, DeployedEndpoint, EndpointSpec, GrpcClient, Tls, Trust, conformance
from seaway.serving.conformance.suite import FAILED
from small_package import SIGNATURE, small_package


def write(folder: Path, certificate: trustme.LeafCert, name: str) -> tuple[Path, Path]:
    """Files of the certificate and of its key, each put in its place by a rename."""
    files = folder / f"{name}.pem", folder / f"{name}.key"
    for file, parts in zip(files, (certificate.cert_chain_pems, [certificate.private_key_pem]), strict=True):
        draft = file.with_suffix(".draft")
        draft.write_bytes(b"".join(part.bytes() for part in parts))
        draft.replace(file)
    return files


@dataclass(frozen=True)
class Served:
    endpoint: DeployedEndpoint
    spec: EndpointSpec
    authority: trustme.CA
    trust: Trust


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    environment = pytest.MonkeyPatch()
    environment.setenv("SEAWAY_HOME", str(home))
    environment.delenv("SEAWAY_MODEL_SERVER", raising=False)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(home / "ca.pem")
    tls = Tls(*write(home, authority.issue_cert("127.0.0.1"), "server"), home / "ca.pem")
    trust = Trust(home / "ca.pem", *write(home, authority.issue_cert("caller"), "caller"))
    packages = [small_package(home / f"package-{bias}", home, bias=bias) for bias in (0.0, 1.0)]
    spec = EndpointSpec("small", "r1", *packages, access_log=True, tls=tls)
    yield Served(LocalEndpoint().deploy(spec), spec, authority, trust)
    LocalEndpoint().remove("small", "r1")
    environment.undo()


@pytest.mark.parametrize("kind", [Client, GrpcClient])
def test_callers_whom_the_authority_vouches_for_are_answered_and_no_others(
    served: Served, kind: Any, tmp_path: Path
) -> None:
    url, token = served.endpoint.url, served.endpoint.token()
    assert url.startswith("https://127.0.0.1:")
    with kind(url, token, trust=served.trust) as client:
        assert client.infer("small", SIGNATURE.sample)["probability"].shape == (2, 1)
    stranger = write(tmp_path, trustme.CA().issue_cert("caller"), "stranger")
    for trust in (Trust(served.trust.ca), Trust(served.trust.ca, *stranger), Trust(), replace(served.trust, ca=None)):
        with kind(url, token, 5, trust=trust) as client, pytest.raises(InferenceUnavailable):
            client.live()
    with kind(url.replace("https", "http"), token, 5) as client, pytest.raises(InferenceUnavailable):
        client.live()


def test_weights_and_tokens_change_without_a_certificate_of_the_owner(served: Served) -> None:
    endpoint = served.endpoint
    EnvoyTraffic().set_weights(endpoint, {"stable": 0, "candidate": 100})
    with Client(endpoint.url, endpoint.token(), trust=served.trust) as client:
        client.infer("small", SIGNATURE.sample)
        assert client.arm == "candidate"
    assert EnvoyMetrics().read(endpoint)["candidate"].requests >= 1
    LocalEndpoint().rotate_token("small", "r1")
    with Client(endpoint.url, endpoint.token(), trust=served.trust) as client:
        assert client.live()
    assert LocalEndpoint().deploy(served.spec) == endpoint


def test_the_protocol_is_kept_by_tls_as_without(served: Served) -> None:
    target = conformance.Target(served.endpoint.url, "small", served.endpoint.token(), trust=served.trust)
    assert [(one.check, one.why) for one in conformance.run(target) if one.state == FAILED] == []


def test_a_renewed_certificate_is_shown_without_a_restart(served: Served) -> None:
    address = urlsplit(served.endpoint.url)

    def shown() -> int:
        plain = socket.create_connection((address.hostname or "", address.port or 0), timeout=60)
        with served.trust.context().wrap_socket(plain, server_hostname=address.hostname) as caller:
            return x509.load_der_x509_certificate(caller.getpeercert(binary_form=True) or b"").serial_number

    renewed = served.authority.issue_cert("127.0.0.1")
    serial = x509.load_pem_x509_certificate(renewed.cert_chain_pems[0].bytes()).serial_number
    assert served.spec.tls
    assert shown() != serial
    with Client(served.endpoint.url, served.endpoint.token(), trust=served.trust) as before:
        assert before.live()
        write(served.spec.tls.certificate.parent, renewed, "server")
        while shown() != serial:
            assert process.guards(served.endpoint, process.Guard.of(served.spec))
        assert before.live(), "a connection that was open goes on"


def test_what_envoy_keeps_of_tls_has_no_key_in_it(served: Served) -> None:
    assert served.spec.tls
    key = served.spec.tls.key.read_text().splitlines()[1]
    assert all(key not in file.read_text() for file in served.endpoint.folder.rglob("*.json"))
    names = {file.name for file in served.endpoint.folder.rglob("*.json")}
    assert {"certificate.json", "client-ca.json"} <= names


def test_the_command_line_shows_a_certificate(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    trust, rows = served.trust, json.dumps(SIGNATURE.sample)
    for grpc in (False, True):
        predict_rows("small", rows, None, None, None, grpc, (trust.ca, trust.certificate, trust.key), as_json=True)
        assert len(json.loads(capsys.readouterr().out)["outputs"]["probability"]) == 2


def test_a_certificate_that_cannot_be_used_begins_nothing(served: Served, tmp_path: Path) -> None:
    assert served.spec.tls
    elsewhere = Tls(*write(tmp_path, served.authority.issue_cert("example.com"), "elsewhere"))
    before = {one.run: one.url for one in LocalEndpoint().list()}
    with pytest.raises(InvalidSpec, match=r"is for \['example.com'\]"):
        LocalEndpoint().deploy(replace(served.spec, run="r2", tls=elsewhere))
    with pytest.raises(InvalidSpec, match="belong together"):
        LocalEndpoint().deploy(replace(served.spec, tls=replace(served.spec.tls, key=elsewhere.key)))
    assert {one.run: one.url for one in LocalEndpoint().list()} == before
    with Client(served.endpoint.url, served.endpoint.token(), trust=served.trust) as client:
        assert client.live()
