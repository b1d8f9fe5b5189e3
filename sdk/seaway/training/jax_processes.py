"""The variables of Kubeflow Trainer's JAX runtime, for scripts that any trainer has started.

A script of JAX takes its place among its processes from `JAX_NUM_PROCESSES`, `JAX_PROCESS_ID` and, by JAX itself,
`JAX_COORDINATOR_ADDRESS`. All trainers start processes with torch.distributed's variables; these are made of them, and
of a port that the first process has free and tells by torch's store.
"""

import os
import socket
from collections.abc import Mapping
from importlib.util import find_spec

from torch import distributed as dist

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_kept: list[dist.Store] = []  # the first process's holds what the others still have to read


def offer() -> None:
    """Set them for this process and what it starts, where JAX is installed."""
    if find_spec("jax") is not None:
        os.environ.update(variables(os.environ))


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of a process with these variables of torch.distributed; of one that is alone where there are none."""
    count, rank = int(environment.get("WORLD_SIZE", "1")), int(environment.get("RANK", "0"))
    host = environment.get("MASTER_ADDR", LOOPBACK[0]) if count > 1 else LOOPBACK[0]
    port = _agreed(rank, environment.get("TORCHELASTIC_RESTART_COUNT", "0")) if count > 1 else _free()
    made = {
        "JAX_NUM_PROCESSES": str(count),
        "JAX_PROCESS_ID": str(rank),
        "JAX_COORDINATOR_ADDRESS": f"{host}:{port}",
    }
    if host in LOOPBACK:
        made["JAX_COORDINATOR_BIND_ADDRESS"] = f"{LOOPBACK[0]}:{port}"  # else it listens to everybody
    if int(environment.get("LOCAL_WORLD_SIZE", "1")) > 1:
        made["JAX_LOCAL_DEVICE_IDS"] = environment["LOCAL_RANK"]  # else each takes all accelerators of its machine
    return made


def _agreed(rank: int, start: str) -> int:
    """The first process's port, of this start of the processes."""
    store, *_ = next(dist.rendezvous("env://"))
    _kept.append(store)
    if rank == 0:
        store.set(f"seaway/jax/{start}", str(_free()))
    return int(store.get(f"seaway/jax/{start}"))


def _free() -> int:
    with socket.socket() as found:
        found.bind(("", 0))
        return int(found.getsockname()[1])
