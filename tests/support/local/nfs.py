"""A real NFS server of a folder, version 4 on loopback: NFS-Ganesha; and libnfs, which reads without a mount.

`apt-get install nfs-ganesha nfs-ganesha-vfs libnfs-utils` brings the programs. The server opens files by their
handles, which takes root and CAP_DAC_READ_SEARCH.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from free_ports import free_port

PROGRAMS = ("ganesha.nfsd", "nfs-cp", "nfs-ls")
LACKING = [program for program in PROGRAMS if shutil.which(program) is None]
START_S = 120.0
CONFIG = """
NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = {port}; Bind_addr = 127.0.0.1; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ Grace_Period = 1; Lease_Lifetime = 5; Only_Numeric_Owners = true; RecoveryRoot = "{state}"; }}
EXPORT {{
    Export_Id = 1; Path = {folder}; Pseudo = /staged; Access_Type = RO; Squash = No_Root_Squash; SecType = sys;
    Protocols = 4; Transports = TCP; FSAL {{ Name = VFS; }}
}}
"""


@dataclass(frozen=True)
class Nfs:
    """What another machine sees of the folder."""

    port: int

    def names(self, path: str) -> set[str]:
        """The names in a folder. Raises: RuntimeError: it cannot be read."""
        return {line.split()[-1] for line in self._asked("nfs-ls", self._uri(path)).splitlines()}

    def copy(self, path: str, target: Path) -> None:
        """Read one file."""
        self._asked("nfs-cp", self._uri(path), str(target))

    def write(self, source: Path, path: str) -> None:
        """Write one file."""
        self._asked("nfs-cp", str(source), self._uri(path))

    def _uri(self, path: str) -> str:
        return f"nfs://127.0.0.1/staged/{path}?version=4&nfsport={self.port}"

    def _asked(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_S)
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout} {done.stderr}")
        return done.stdout


def unserved() -> str:
    """Why no folder can be served here; empty where one can."""
    if LACKING:
        return f"no NFS: there is no {', '.join(LACKING)}"
    granted = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff"))
    may = os.geteuid() == 0 and int(granted.split()[1], 16) >> 2 & 1  # CAP_DAC_READ_SEARCH
    return "" if may else "no NFS: its server opens files by their handles, which takes root and CAP_DAC_READ_SEARCH"


@contextmanager
def exported(folder: Path) -> Iterator[Nfs]:
    """The folder by NFS, read-only."""
    nfs = Nfs(free_port())
    with tempfile.TemporaryDirectory(prefix="nfs-") as made:
        state, config = Path(made), Path(made) / "ganesha.conf"
        config.write_text(CONFIG.format(port=nfs.port, folder=folder, state=state))
        command = ["ganesha.nfsd", "-F", "-f", config, "-L", state / "log", "-p", state / "pid"]
        server = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(nfs, server, state / "log")
            yield nfs
        finally:
            server.kill()
            server.wait()


def _await(nfs: Nfs, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            nfs.names("")
            return
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            if server.poll() is not None or time.monotonic() > deadline:
                said = log.read_text()[-2000:] if log.exists() else ""
                raise RuntimeError(f"NFS-Ganesha did not start: {error}; {said}") from error
            time.sleep(0.2)
