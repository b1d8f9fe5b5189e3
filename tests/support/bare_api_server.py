"""A real API server without controllers, on loopback: what it answers is Kubernetes' own, the rest a test plays."""

import csv
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
import urllib3
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from free_ports import free_ports

START_S = 120.0
# A shell ends the program when its input ends: that is when the tests do, however they end.
UNTIL_INPUT_ENDS = '"$@" & read -r _; kill -9 $!'


@contextmanager
def bare_api_server(folder: Path) -> Iterator[Path]:
    """etcd and kube-apiserver with their files in a folder; gives a kubeconfig of an administrator."""
    etcd_program, api_program = program("etcd"), program("kube-apiserver")
    ports, token = free_ports(3), secrets.token_hex(16)
    etcd, peers, api = (f"127.0.0.1:{port}" for port in ports)
    kubeconfig, tokens, key = folder / "kubeconfig", folder / "tokens.csv", folder / "accounts.key"
    certificate = folder / "certificates" / "apiserver.crt"  # which the server makes itself
    with tokens.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([token, "admin", "admin", "system:masters"])
    kubeconfig.write_text(yaml.safe_dump(administrator(f"https://{api}", certificate, token)), encoding="utf-8")
    key.write_bytes(private_key())
    with ExitStack() as stack:
        stack.enter_context(
            running(
                folder, etcd_program, f"--data-dir={folder / 'etcd'}", f"--listen-client-urls=http://{etcd}",
                f"--advertise-client-urls=http://{etcd}", f"--listen-peer-urls=http://{peers}", "--unsafe-no-fsync",
            )
        )  # fmt: skip
        stack.enter_context(
            running(
                folder, api_program, f"--etcd-servers=http://{etcd}", f"--secure-port={ports[2]}",
                "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={certificate.parent}",
                f"--token-auth-file={tokens}", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/24",
                "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}", "--disable-admission-plugins=ServiceAccount",
                "--allow-privileged",
            )
        )  # fmt: skip
        await_ready(f"https://{api}/readyz", certificate, token, folder / f"{Path(api_program).name}.log")
        yield kubeconfig


def program(name: str) -> str:
    """Where it is; the test skips where it is nowhere."""
    beside = [str(Path(file).parents[1] / "bin") for file in os.environ.get("KUBECONFIG", "").split(os.pathsep) if file]
    places = [os.environ.get("PATH", ""), os.environ.get("KUBEBUILDER_ASSETS", ""), *beside]
    found = shutil.which(name, path=os.pathsep.join(filter(None, places)))
    if found is None:
        pytest.skip(
            f"{name} is neither on PATH nor in the folder $KUBEBUILDER_ASSETS, which `setup-envtest use` names: there "
            "is no API server to start"
        )
    return found


def administrator(server: str, certificate: Path, token: str) -> dict[str, object]:
    """A kubeconfig."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bare", "cluster": {"server": server, "certificate-authority": str(certificate)}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "bare", "context": {"cluster": "bare", "user": "admin", "namespace": "default"}}],
        "current-context": "bare",
    }


def private_key() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@contextmanager
def running(folder: Path, path: str, *arguments: str) -> Iterator[None]:
    command = ["sh", "-c", UNTIL_INPUT_ENDS, "sh", path, *arguments]
    with (folder / f"{Path(path).name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        process.communicate()


def await_ready(url: str, certificate: Path, token: str, log: Path) -> None:
    deadline, account = time.monotonic() + START_S, {"Authorization": f"Bearer {token}"}
    while not ready(url, certificate, account):
        said = log.read_text(encoding="utf-8", errors="replace")
        assert time.monotonic() < deadline, f"the API server did not start:\n{said[-2000:]}"
        time.sleep(0.1)


def ready(url: str, certificate: Path, headers: dict[str, str]) -> bool:
    try:
        with urllib3.PoolManager(ca_certs=str(certificate), retries=False) as pool:
            return pool.request("GET", url, headers=headers, timeout=2.0).status == HTTPStatus.OK
    except (urllib3.exceptions.HTTPError, OSError):  # OSError: there is no certificate yet
        return False
