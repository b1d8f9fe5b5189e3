"""How the pods of a training find each other, as the operators' environment variables say it.

Kubeflow's training operator and its Trainer both set torchrun's PET_ variables; with an elastic policy these name a
rendezvous, else the first pod's address. Trainer's runtime for JAX names the first pod by variables of JAX instead.
"""

import logging
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from seaway.errors import InvalidSpec, TrainingFailed

RESOLVED_S = 600.0  # until the first pod has a name: it may still pull its image
PAUSE_S = 1.0
# Else torchrun (2.13) tells where rank 0 is in the first round only, and a pod that joins later waits in vain for it.
UNSHARED_STORE = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rendezvous:
    """This pod's place among `nodes` pods of `processes` each; `address` and `port` are those of the first."""

    nodes: int
    node_rank: int
    processes: int
    address: str
    port: int
    elastic: bool = False

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Rendezvous":
        """The rendezvous that the variables name; without any this process is alone.

        Raises:
            InvalidSpec: a variable is no number.
        """
        if "JAX_COORDINATOR_ADDRESS" in environment and "PET_NNODES" not in environment:
            environment = _of_jax(environment)
        elastic = "PET_RDZV_ENDPOINT" in environment
        host, _, port = environment.get("PET_RDZV_ENDPOINT", "").rpartition(":")
        try:
            return cls(
                nodes=int(environment.get("PET_NNODES", "1").rpartition(":")[2]),
                node_rank=int(environment.get("PET_NODE_RANK", "0")),
                processes=int(environment.get("PET_NPROC_PER_NODE", "1")),
                address=host if elastic else environment.get("PET_MASTER_ADDR", "localhost"),
                port=int(port if elastic else environment.get("PET_MASTER_PORT", "29500")),
                elastic=elastic,
            )
        except ValueError as error:
            raise InvalidSpec(
                f"The operator's PET_ or JAX_ variables are not as torchrun takes them: {error}."
            ) from error

    def commands(self, module: str, arguments: list[str]) -> "list[tuple[list[str], dict[str, str]]]":
        """What this pod starts: a command line and its variables for each process, or torchrun, which starts them."""
        if self.elastic:
            torchrun = [sys.executable, "-m", "torch.distributed.run", "--local-addr", _own_address()]
            return [([*torchrun, "-m", module, *arguments], UNSHARED_STORE)]
        command = [sys.executable, "-m", module, *arguments]
        return [(command, self._variables(local_rank)) for local_rank in range(self.processes)]

    def _variables(self, local_rank: int) -> dict[str, str]:
        return {
            "MASTER_ADDR": self.address,
            "MASTER_PORT": str(self.port),
            "RANK": str(self.node_rank * self.processes + local_rank),
            "WORLD_SIZE": str(self.nodes * self.processes),
            "LOCAL_RANK": str(local_rank),
            "LOCAL_WORLD_SIZE": str(self.processes),
        }

    def await_address(self, patience_s: float = RESOLVED_S) -> None:
        """Return when the first pod's name resolves: it does not before that pod runs.

        Raises:
            TrainingFailed: it does not resolve in time.
        """
        ends = time.monotonic() + patience_s
        if not _resolves(self.address):
            log.info("waiting for %s to be found", self.address)
        while not _resolves(self.address):
            if time.monotonic() > ends:
                raise TrainingFailed(
                    f"The first pod's name {self.address} does not resolve after {patience_s:g} s: it was not started, "
                    f"or the cluster's DNS fails; `kubectl get pods -o wide` shows which."
                )
            time.sleep(PAUSE_S)


def _of_jax(environment: Mapping[str, str]) -> dict[str, str]:
    """What Trainer's runtime for JAX says, which has one process a pod, as torchrun's variables."""
    host, _, port = environment["JAX_COORDINATOR_ADDRESS"].rpartition(":")
    return {
        "PET_NNODES": environment.get("JAX_NUM_PROCESSES", "1"),
        "PET_NODE_RANK": environment.get("JAX_PROCESS_ID", "0"),
        "PET_MASTER_ADDR": host,
        "PET_MASTER_PORT": port,
    }


def _own_address() -> str:
    """The IP address, by which torchrun tells a pod from the one of the same name that it replaces.

    By default it takes host name and process number (torch.distributed.elastic, `_NodeDesc`), the same in both.

    Raises:
        TrainingFailed: the pod's name does not resolve.
    """
    name = socket.gethostname()
    try:
        return str(socket.getaddrinfo(name, None)[0][4][0])
    except socket.gaierror as error:
        raise TrainingFailed(
            f"This pod's own name {name} has no address ({error}): its /etc/hosts, where the kubelet writes both, is "
            f"another one. See that neither the image's start nor a volume replaces that file."
        ) from error


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except socket.gaierror:
        return False
