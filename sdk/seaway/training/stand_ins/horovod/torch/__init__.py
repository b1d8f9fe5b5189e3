"""`import horovod.torch as hvd`, for scripts that were written for it; who starts the processes says who they are.

What is here does what Horovod's does, collectives in the order in which a script calls them. What is not here says so.
"""

from typing import NoReturn

from . import elastic
from .collectives import (
    Adasum,
    Average,
    Max,
    Min,
    Product,
    ReduceOp,
    Sum,
    allgather,
    allgather_object,
    allreduce,
    allreduce_,
    allreduce_async,
    allreduce_async_,
    barrier,
    broadcast,
    broadcast_,
    broadcast_object,
    grouped_allreduce,
    poll,
    synchronize,
)
from .compression import Compression
from .optimizer import DistributedOptimizer
from .processes import (
    cross_rank,
    cross_size,
    gloo_built,
    gloo_enabled,
    init,
    is_homogeneous,
    is_initialized,
    local_rank,
    local_size,
    mpi_built,
    mpi_enabled,
    mpi_threads_supported,
    nccl_built,
    rank,
    shutdown,
    size,
)
from .state import broadcast_optimizer_state, broadcast_parameters

__all__ = [
    "Adasum", "Average", "Compression", "DistributedOptimizer", "Max", "Min", "Product", "ReduceOp", "Sum", "allgather",
    "allgather_object", "allreduce", "allreduce_", "allreduce_async", "allreduce_async_", "barrier", "broadcast",
    "broadcast_", "broadcast_object", "broadcast_optimizer_state", "broadcast_parameters", "cross_rank", "cross_size",
    "elastic", "gloo_built", "gloo_enabled", "grouped_allreduce", "init", "is_homogeneous", "is_initialized",
    "local_rank", "local_size", "mpi_built", "mpi_enabled", "mpi_threads_supported", "nccl_built", "poll", "rank",
    "shutdown", "size", "synchronize",
]  # fmt: skip


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(
        f"horovod.torch.{name} is not in Seaway's stand-in for Horovod, which has {', '.join(__all__)}; use "
        "torch.distributed for it, or install Horovod where it builds."
    )
