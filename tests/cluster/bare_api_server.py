"""A real API server without controllers, on loopback: where a test plays the part of one that cannot be had."""

import csv
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

START_S = 120.0
END_S = 20.0


@contextmanager
def bare_api_server(folder: Path) -> Iterator[Path]:
    """etcd and kube-apiserver with their files in a folder; gives a kubeconfig of an administrator."""
    for program in ("etcd", "kube-apiserver", "kubectl"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on the PATH: there is no API server of our own to start")
    ports, token = free_ports(3), secrets.token_hex(16)
    etcd, peers, api = (f"127.0.0.1:{port}" for port in ports)
    kubeconfig, tokens, key = folder / "kubeconfig", folder / "tokens.csv", folder / "accounts.key"
    with tokens.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([token, "admin", "admin", "system:masters"])
    kubeconfig.write_text(yaml.safe_dump(administrator(f"https://{api}", token)), encoding="utf-8")
    key.write_bytes(private_key())
    with ExitStack() as stack:
        stack.enter_context(
            running(
                folder, "etcd", f"--data-dir={folder / 'etcd'}", f"--listen-client-urls=http://{etcd}",
                f"--advertise-client-urls=http://{etcd}", f"--listen-peer-urls=http://{peers}", "--unsafe-no-fsync",
            )
        )  # fmt: skip
        stack.enter_context(
            running(
                folder, "kube-apiserver", f"--etcd-servers=http://{etcd}", f"--secure-port={ports[2]}",
                "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={folder / 'certificates'}",
                f"--token-auth-file={tokens}", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/24",
                "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}", "--disable-admission-plugins=ServiceAccount",
            )
        )  # fmt: skip
        await_ready(kubeconfig, folder)
        yield kubeconfig


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


def administrator(server: str, token: str) -> dict[str, object]:
    """A kubeconfig; the server's certificate is its own."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bare", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "bare", "context": {"cluster": "bare", "user": "admin", "namespace": "default"}}],
        "current-context": "bare",
    }


def private_key() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@contextmanager
def running(folder: Path, program: str, *arguments: str) -> Iterator[None]:
    with (folder / f"{program}.log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_ready(kubeconfig: Path, folder: Path) -> None:
    deadline = time.monotonic() + START_S
    command = ["kubectl", "--kubeconfig", str(kubeconfig), "get", "--raw=/readyz"]
    while subprocess.run(command, capture_output=True, check=False).returncode:
        log = (folder / "kube-apiserver.log").read_text(encoding="utf-8", errors="replace")
        assert time.monotonic() < deadline, f"the API server did not start:\n{log[-2000:]}"
        time.sleep(0.5)
