"""An optimizer that steps by the mean of all processes' gradients."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import torch

from . import processes
from .collectives import Average, ReduceOp, _op, allreduce_async
from .compression import Compression


def DistributedOptimizer(  # noqa: N802  # Horovod's name
    optimizer: torch.optim.Optimizer,
    named_parameters: Iterable[tuple[str, torch.nn.Parameter]] | None = None,
    compression: Any = Compression.none,
    backward_passes_per_step: int = 1,
    op: ReduceOp = Average,
    gradient_predivide_factor: float = 1.0,
    **unused: object,
) -> Any:
    """The optimizer, its class one that reduces first; its state and its groups are the same.

    Gradients are reduced when it steps, in the order of its parameters, and not while they are computed: so processes
    whose graphs differ cannot mix them up. A parameter without a gradient counts as zero where others have one.
    """
    names = [name for name, _ in named_parameters or ()]
    if len(set(names)) < len(names):
        raise ValueError("Parameter names in named_parameters must be unique.")
    kind = type(optimizer)
    optimizer.__class__ = type(kind.__name__, (_Distributed, kind), {})
    optimizer.reducing = (compression, _op(None, op), gradient_predivide_factor)
    optimizer.due = True
    return optimizer


class _Distributed:
    """What is added to an optimizer's class."""

    param_groups: list[dict[str, Any]]
    reducing: tuple[Any, ReduceOp, float]
    due: bool

    def synchronize(self) -> None:
        """Reduce the gradients now, to look at them or to clip them before the step."""
        if processes.size() == 1:
            return
        wanted = [one for group in self.param_groups for one in group["params"] if one.requires_grad]
        for one in wanted:
            if one.grad is None:
                one.grad = torch.zeros_like(one)
        for _, same in groupby(wanted, lambda one: (one.grad.dtype, one.grad.device)):
            self._reduce([one.grad for one in same])

    def _reduce(self, gradients: list[torch.Tensor]) -> None:
        """In one message."""
        compression, op, divided = self.reducing
        sent, dtype = compression.compress(torch.cat([gradient.flatten() for gradient in gradients]))
        reduced = allreduce_async(sent, op=op, prescale_factor=1 / divided, postscale_factor=divided).wait()
        parts = compression.decompress(reduced, dtype).split([gradient.numel() for gradient in gradients])
        with torch.no_grad():
            for gradient, part in zip(gradients, parts, strict=True):
                gradient.copy_(part.view_as(gradient))

    @contextmanager
    def skip_synchronize(self) -> Iterator[None]:
        """Step by the gradients as they are: `synchronize` was called by hand."""
        self.due = False
        try:
            yield
        finally:
            self.due = True

    def set_backward_passes_per_step(self, passes: int) -> None:
        """Gradients add up until the step in any case."""

    def step(self, closure: Any = None) -> Any:
        """Reduce, and step. A closure's gradients are those that it was called for last."""
        if self.due:
            self.synchronize()
        return super().step(closure)  # type: ignore[misc]
