"""A model measured on another machine by ssh: a real server on loopback, with keys and known hosts of its own."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import edge_models
import pytest
from pyarrow import parquet
from seaway import edge
from seaway.edge.device import Device
from seaway.errors import DataUnreadable, InvalidSpec

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
PATIENCE_S = 120  # of a machine that is busy


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the device makes its temporary folders."""
    return tmp_path_factory.mktemp("there")


@pytest.fixture(scope="module")
def device(there: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that takes one key, on loopback only."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("needs Debian's openssh-server and openssh-client")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where a server of root's keeps its processes apart
    folder, port = tmp_path_factory.mktemp("sshd"), free_port()
    host, user = key(folder / "host"), key(folder / "user")
    shutil.copyfile(f"{user}.pub", folder / "authorized")
    (folder / "authorized").chmod(0o600)
    settings = (
        f"ListenAddress 127.0.0.1:{port}\nHostKey {host}\nAuthorizedKeysFile {folder / 'authorized'}\nStrictModes no\n"
        f"PidFile {folder / 'pid'}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n"
        f"SetEnv TMPDIR={there}\n"
    )
    (folder / "server").write_text(settings)
    (folder / "known").write_text(f"[127.0.0.1]:{port} {Path(f'{host}.pub').read_text()}")
    (folder / "client").write_text(
        f"IdentityFile {user}\nIdentitiesOnly yes\nUserKnownHostsFile {folder / 'known'}\nStrictHostKeyChecking yes\n"
    )
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "server")], stderr=log)
    try:
        until = time.monotonic() + PATIENCE_S
        while "listening on" not in (folder / "log").read_text().lower():
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}?python={sys.executable}&config={folder / 'client'}"
    finally:
        server.terminate()
        server.wait()


def test_a_device_answers_the_rows_as_here_and_keeps_nothing(
    device: str,
    there: Path,
    made: Callable[[str], Path],
    exported: Callable[[str, str], edge.EdgePackage],
    tmp_path: Path,
) -> None:
    parquet.write_table(edge_models.digits_rows(slice(1200, 1250)), tmp_path / "rows.parquet")
    package, gate = exported("digits", "onnxruntime").path, edge.EdgeGate({"max_flips": 0.0, "max_difference": 1e-4})
    found = edge.measure_edge(package, made("digits"), tmp_path / "rows.parquet", tmp_path / "there", gate=gate,
                              device=device)  # fmt: skip
    assert found.figures["gate"]["passed"], found.outcomes
    assert found.figures["parity"]["rows"] == found.figures["figures"]["rows"] == 50
    assert found.figures["figures"]["p99_ms"] > 0
    assert not list(there.glob("tmp.*"))


def test_a_device_that_is_not_reached_or_lacks_the_runtime_says_so(
    device: str, exported: Callable[[str, str], edge.EdgePackage], tmp_path: Path
) -> None:
    (tmp_path / "known").write_text("")
    (tmp_path / "stranger").write_text(f"UserKnownHostsFile {tmp_path / 'known'}\nStrictHostKeyChecking yes\n")
    address = device.partition("?")[0]
    wrong = {
        f"{address}?config={tmp_path / 'stranger'}": r"(?s)exit code 255.*Host key verification failed",
        device.replace(sys.executable, "/bin/false"): "exit code 1.*/bin/false there has NumPy",
        f"ssh://127.0.0.1:{free_port()}": "exit code 255.*refused",
    }
    (tmp_path / "job").mkdir()
    for each, reason in wrong.items():
        with pytest.raises(DataUnreadable, match=reason):
            Device.of(each).run(tmp_path / "job", ["measure.py"], "out", PATIENCE_S)


@pytest.mark.parametrize(
    "address",
    ["host", "http://host", "ssh://", "ssh://-oProxyCommand=x", "ssh://u:secret@host", "ssh://host/path",
     "ssh://host?shell=x", "ssh://host:port", "ssh://a b"],
)  # fmt: skip
def test_what_is_no_address_of_a_device_is_refused(address: str) -> None:
    with pytest.raises(InvalidSpec, match="no address"):
        Device.of(address)


def test_an_address_tells_user_port_and_python() -> None:
    found = Device.of("ssh://pi@camera.local:2222?python=/opt/venv/bin/python")
    assert found == Device("camera.local", "pi", 2222, "/opt/venv/bin/python")
    assert found.ssh[-3:] == ["-p", "2222", "pi@camera.local"]
