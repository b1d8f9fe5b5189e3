"""A real Slurm on loopback: munged, slurmctld and two slurmd of one machine, in a folder of the test's own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from free_ports import free_ports
from web_program import end

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
WAIT_S = 120.0  # on a busy machine
STARTS = 3
NODES = ("n1", "n2")


def missing() -> list[str]:
    """The programs that are not on PATH; Debian has them in slurm-wlm and munge."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


@contextmanager
def running() -> Iterator["SlurmCluster"]:
    """A cluster in a folder that everybody may pass through: munged wants that of its socket."""
    with tempfile.TemporaryDirectory(prefix="seaway-slurm-") as folder:
        cluster = SlurmCluster(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop_all()


@dataclass
class SlurmCluster:
    """Two nodes of two cores each, partitions `main`, `urgent` (it preempts those of `main`) and `closed`."""

    folder: Path
    daemons: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def conf(self) -> Path:
        return self.folder / "slurm.conf"

    def start(self) -> None:
        self.folder.chmod(0o755)
        (self.folder / "state").mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.conf.write_text(self._configuration())
        options = [f"--{name}={self.folder / file}" for name, file in
                   {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid",
                    "log-file": "munged.log", "seed-file": "munged.seed"}.items()]  # fmt: skip
        self._run("munged", ["munged", "--foreground", *options])
        self._until((self.folder / "munge.socket").exists, "munged")
        self.start_controller()
        for node in NODES:
            self._run(node, ["slurmd", "-f", str(self.conf), "-N", node, "-D"])
        self._until(lambda: self.command("sinfo", "--noheader", "--format=%T %D", "-p", "main") == "idle 2", "nodes")

    def start_controller(self) -> None:
        """Until it answers; anew where it ends or hangs before that, as a service manager does."""
        for _ in range(STARTS):
            self._run("slurmctld", ["slurmctld", "-f", str(self.conf), "-D"])
            with suppress(AssertionError):
                return self._until(self.answers, "slurmctld")
            self.stop("slurmctld")
        raise AssertionError(f"slurmctld came up at none of {STARTS} starts:\n{self._said()}")

    def answers(self) -> bool:
        return self.command("squeue", "--noheader", "--format=%i") is not None

    def stop(self, daemon: str) -> None:
        """End it, by force where it hangs: slurmctld was once seen to close its port and never to end."""
        end(self.daemons.pop(daemon))

    def stop_all(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.command("scancel", "--user", str(os.getuid()))
        for daemon in [*NODES, "slurmctld", "munged"]:
            if daemon in self.daemons:
                self.stop(daemon)

    def command(self, *words: str) -> str:
        """What a command of Slurm prints."""
        environment = {**os.environ, "SLURM_CONF": str(self.conf)}
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    def state(self, name: str) -> str:
        """Number and state of the newest job of that name; empty where there is none."""
        lines = self.command("squeue", "--noheader", "--states=all", f"--name={name}", "--format=%i %T").splitlines()
        return max(lines, key=lambda line: int(line.split()[0])) if lines else ""

    def _run(self, name: str, command: Sequence[str]) -> None:
        environment = {**os.environ, "SLURM_CONF": str(self.conf)}
        with (self.folder / f"{name}.out").open("ab") as out:
            self.daemons[name] = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    def _until(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while True:
            with suppress(subprocess.CalledProcessError):
                if ready():
                    return
            gone = [name for name, process in self.daemons.items() if process.poll() is not None]
            assert not gone, f"{gone} ended:\n{self._said()}"
            assert time.monotonic() < deadline, f"{what} did not come up:\n{self._said()}"
            time.sleep(0.1)

    def _said(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in sorted(self.folder.glob("*.out")))

    def _configuration(self) -> str:
        host, user = socket.gethostname().partition(".")[0], "root" if os.getuid() == 0 else os.environ["USER"]
        controller, first, second = free_ports(3)
        here, node = self.folder, f"NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000 State=UNKNOWN"
        return f"""\
ClusterName=seaway
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={here}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={here}/state
SlurmdSpoolDir={here}/spool-%n
SlurmctldPidFile={here}/slurmctld.pid
SlurmdPidFile={here}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=30
MessageTimeout=5
SlurmdTimeout=3600
SchedulerParameters=sched_interval=1,batch_sched_delay=0,requeue_delay=1,bf_interval=1
NodeName=n1 Port={first} {node}
NodeName=n2 Port={second} {node}
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=n[1-2] MaxTime=INFINITE State=UP PriorityTier=10
PartitionName=closed Nodes=n[1-2] MaxTime=INFINITE State=DOWN
"""
