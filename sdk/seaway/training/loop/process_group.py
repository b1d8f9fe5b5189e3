"""The processes that train together: which one this is, and what they tell each other."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from seaway.training.loop.fsdp import shard, whole


@dataclass(frozen=True)
class Worker:
    """One process of `count`, with the whole network and rows of its own (DDP)."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    @property
    def share(self) -> tuple[int, int]:
        """Which part of the rows this process has, of how many."""
        return self.rank, self.count

    def total(self, tensor: Tensor) -> Tensor:
        """The sum of a tensor over all processes; the same bits on each."""
        if self.count > 1:
            dist.all_reduce(tensor)
        return tensor

    def same(self, data: bytes | None, source: int = 0) -> bytes | None:
        """What one process has, on each: pods see a shared place at different moments."""
        if self.count == 1:
            return data
        size = torch.tensor(-1 if data is None else len(data), device=self.device)
        dist.broadcast(size, src=source)
        if size < 0:
            return None
        contents = torch.empty(int(size), dtype=torch.uint8, device=self.device)
        if self.rank == source and data:
            contents.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        dist.broadcast(contents, src=source)
        return bytes(contents.cpu().numpy().tobytes())

    def split(self, network: nn.Module) -> None:
        """Keep this process's part of the weights, in place; the optimizer is made afterwards."""

    def distributed(self, network: nn.Module) -> nn.Module:
        """The module, its gradients averaged over all processes; they must start with equal weights."""
        return DistributedDataParallel(network) if self.count > 1 else network

    def whole(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """The whole tensors, on every process; all call it together."""
        return {name: whole(tensor) for name, tensor in tensors.items()}

    def seed(self, seed: int, epoch: int) -> None:
        """Random numbers of an epoch (dropout, augmentation), others for other rows, the same after a resume."""
        torch.manual_seed((seed * 1_000_003 + epoch * 1_009 + self.share[0]) % 2**63)

    def precision(self, wanted: str) -> AbstractContextManager[Any]:
        """Where networks are called: in bfloat16 where that is `mixed` and there is a GPU."""
        if wanted == "mixed" and self.device.type == "cuda":
            mixed: AbstractContextManager[Any] = torch.autocast("cuda", torch.bfloat16)
            return mixed
        return nullcontext()

    def gathering(self, module: nn.Module, now: bool) -> AbstractContextManager[Any]:
        """Where gradients are added up: exchanged with other processes `now`, or later with those that follow."""
        if isinstance(module, DistributedDataParallel) and not now:
            later: AbstractContextManager[Any] = module.no_sync()
            return later
        if self.count > 1 and hasattr(module, "set_requires_gradient_sync"):
            module.set_requires_gradient_sync(now)
        return nullcontext()


@dataclass(frozen=True)
class ShardedWorker(Worker):
    """One process of `count`, with its part of every weight and rows of its own (FSDP)."""

    def split(self, network: nn.Module) -> None:
        shard(network)

    def distributed(self, network: nn.Module) -> nn.Module:
        return network


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
