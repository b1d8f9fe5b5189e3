"""The processes that train together: which one this is, and what they tell each other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Worker:
    """One process of `count`."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def total(self, tensor: Tensor) -> Tensor:
        """The sum of a tensor over all processes; the same bits on each."""
        if self.count > 1:
            dist.all_reduce(tensor)
        return tensor

    def distributed(self, module: nn.Module) -> nn.Module:
        """The module, its gradients averaged over all processes; they must start with equal weights."""
        return DistributedDataParallel(module) if self.count > 1 else module


@contextmanager
def joined() -> Iterator[Worker]:
    """Join the process group that the environment names (gloo on CPU, NCCL with one GPU a process)."""
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local, per_node = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    on_gpu = torch.cuda.is_available() and torch.cuda.device_count() >= per_node
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    if count == 1:
        yield Worker(rank, count, device)
        return
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Worker(rank, count, device)
    finally:
        dist.destroy_process_group()
