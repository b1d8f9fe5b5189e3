"""Sums, means and copies among all processes. What is asynchronous in Horovod is here, too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from .compression import Compression


@dataclass(frozen=True)
class ReduceOp:
    """How tensors of all processes become one."""

    name: str
    of_torch: Any


Average = ReduceOp("Average", dist.ReduceOp.SUM)  # gloo has no mean
Sum = ReduceOp("Sum", dist.ReduceOp.SUM)
Min = ReduceOp("Min", dist.ReduceOp.MIN)
Max = ReduceOp("Max", dist.ReduceOp.MAX)
Product = ReduceOp("Product", dist.ReduceOp.PRODUCT)
Adasum = ReduceOp("Adasum", None)


@dataclass
class Handle:
    """A collective that is under way."""

    work: Any
    finish: Callable[[], torch.Tensor]

    def wait(self) -> torch.Tensor:
        self.work.wait()
        return self.finish()


def allreduce(
    tensor: torch.Tensor,
    average: bool | None = None,
    name: str | None = None,
    compression: Any = Compression.none,
    op: ReduceOp | None = None,
    prescale_factor: float = 1.0,
    postscale_factor: float = 1.0,
) -> torch.Tensor:
    """The mean of the processes' tensors, or what `op` says, as a new tensor; gradients flow through it."""
    chosen = _op(average, op)
    if tensor.requires_grad and torch.is_grad_enabled():
        reduced: torch.Tensor = _Reduced.apply(tensor, chosen, compression, prescale_factor, postscale_factor)
        return reduced
    return _start(tensor, tensor.clone(), chosen, compression, prescale_factor, postscale_factor).wait()


def allreduce_(tensor: torch.Tensor, *arguments: Any, **named: Any) -> torch.Tensor:
    """`allreduce` in place."""
    return allreduce_async_(tensor, *arguments, **named).wait()


def allreduce_async(
    tensor: torch.Tensor, average: bool | None = None, name: str | None = None, op: ReduceOp | None = None,
    prescale_factor: float = 1.0, postscale_factor: float = 1.0,
) -> Handle:  # fmt: skip
    """`allreduce` that `synchronize` waits for."""
    return _start(tensor, tensor.clone(), _op(average, op), Compression.none, prescale_factor, postscale_factor)


def allreduce_async_(
    tensor: torch.Tensor, average: bool | None = None, name: str | None = None, op: ReduceOp | None = None,
    prescale_factor: float = 1.0, postscale_factor: float = 1.0,
) -> Handle:  # fmt: skip
    """`allreduce_` that `synchronize` waits for."""
    return _start(tensor, tensor, _op(average, op), Compression.none, prescale_factor, postscale_factor)


def grouped_allreduce(tensors: Sequence[torch.Tensor], *arguments: Any, **named: Any) -> list[torch.Tensor]:
    """`allreduce` of each."""
    return [allreduce(tensor, *arguments, **named) for tensor in tensors]


def synchronize(handle: Handle) -> torch.Tensor:
    """Wait for a collective, and give its result."""
    return handle.wait()


def poll(handle: Handle) -> bool:
    """Whether a collective has ended."""
    return bool(handle.work.is_completed())


def allgather(tensor: torch.Tensor, name: str | None = None) -> torch.Tensor:
    """The processes' tensors one behind the other; they may differ in their first size."""
    row = tensor.unsqueeze(0) if tensor.dim() == 0 else tensor
    sizes = _gathered(torch.tensor([row.shape[0]], device=row.device))
    longest = int(max(sizes))
    padded = row.new_zeros((longest, *row.shape[1:]))
    padded[: row.shape[0]] = row
    return torch.cat([part[: int(size)] for part, size in zip(_gathered(padded), sizes, strict=True)])


def allgather_object(thing: Any, session: Any = None, name: str | None = None) -> list[Any]:
    """What each process gives; pickled, as Horovod does, among the processes of one training."""
    found: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(found, thing)
    return found


def broadcast(tensor: torch.Tensor, root_rank: int, name: str | None = None) -> torch.Tensor:
    """The tensor of one process, as a new one."""
    return broadcast_(tensor.detach().clone(), root_rank)


def broadcast_(tensor: torch.Tensor, root_rank: int, name: str | None = None) -> torch.Tensor:
    """`broadcast` in place."""
    with torch.no_grad():
        dist.broadcast(tensor, root_rank)
    return tensor


def broadcast_object(thing: Any, root_rank: int = 0, session: Any = None, name: str | None = None) -> Any:
    """What one process gives; pickled, as Horovod does, among the processes of one training."""
    found = [thing]
    dist.broadcast_object_list(found, root_rank)
    return found[0]


def barrier() -> None:
    """Wait for all processes."""
    dist.barrier()


def _op(average: bool | None, op: ReduceOp | None) -> ReduceOp:
    if average is not None and op is not None:
        raise ValueError("The op parameter supersedes average. Please provide only one of them.")
    chosen = op or (Sum if average is False else Average)
    if chosen is Adasum:
        raise ValueError("Adasum is not in Seaway's stand-in for Horovod; use hvd.Average.")
    return chosen


def _start(
    tensor: torch.Tensor, into: torch.Tensor, op: ReduceOp, compression: Any, before: float, after: float
) -> Handle:
    """Reduce `tensor` and write the result `into`, which may be itself."""
    if op is Average and not tensor.is_floating_point() and not tensor.is_complex():
        raise ValueError("Averaging integer tensors is not supported; use hvd.Sum.")
    sent, dtype = compression.compress(tensor.detach() * before if before != 1.0 else tensor.detach().clone())
    sent = sent.contiguous()
    work = dist.all_reduce(sent, op.of_torch, async_op=True)
    scale = after / (dist.get_world_size() if op is Average else 1)

    def finish() -> torch.Tensor:
        received = compression.decompress(sent, dtype)
        with torch.no_grad():
            into.copy_(received * scale if scale != 1.0 else received)
        return into

    return Handle(work, finish)


def _gathered(tensor: torch.Tensor) -> list[torch.Tensor]:
    found = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(found, tensor.detach().contiguous())
    return found


class _Reduced(torch.autograd.Function):  # type: ignore[misc]
    """A reduction whose gradient is reduced likewise."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, op: ReduceOp, compression: Any, before: float, after: float) -> Any:
        ctx.settings = op, compression, before, after
        return _start(tensor, torch.empty_like(tensor), *ctx.settings).wait()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        [gradient] = gradients
        return _start(gradient, torch.empty_like(gradient), *ctx.settings).wait(), None, None, None, None
