"""Layers split over the processes, which all have the same rows: tensor parallelism on DTensor.

Shoeybi et al. 2019, "Megatron-LM": of two linear layers that follow each other the first is split by its outputs and
the second by its inputs, so that a pair costs one exchange forward and one back. What is in no pair is whole on each
process.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch.distributed as dist
from torch import Tensor, nn

from seaway.errors import InvalidSpec
from seaway.training.loop.process_group import Worker

NAMED = (("intermediate.dense", "output.dense"),)  # pairs in the layers of transformers' encoders


@dataclass(frozen=True)
class TensorWorker(Worker):
    """One process of `count` that hold one network together."""

    @property
    def share(self) -> tuple[int, int]:
        return 0, 1

    def total(self, tensor: Tensor) -> Tensor:
        """Each has computed the sum over all rows; that of the first is taken, so that all stop alike."""
        dist.broadcast(tensor, src=0)
        return tensor

    def split(self, network: nn.Module) -> None:
        """Split each pair of linear layers, in place.

        Raises:
            InvalidSpec: there is no such pair, or the width between two is no multiple of the processes.
        """
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

        found = dict(pairs(network))
        _require_even(network, list(found), self.count)
        plan = {first: ColwiseParallel() for first in found} | {second: RowwiseParallel() for second in found.values()}
        parallelize_module(network, init_device_mesh(self.device.type, (self.count,)), plan)

    def distributed(self, network: nn.Module) -> nn.Module:
        """The network itself: what is split exchanges what it has to."""
        return network


def pairs(network: nn.Module) -> Iterator[tuple[str, str]]:
    """Names of linear layers of which the second takes what the first gives, but for what stands between."""
    for name, module in network.named_modules():
        prefix = f"{name}." if name else ""
        if isinstance(module, nn.Sequential):
            linear = [f"{prefix}{key}" for key, layer in module.named_children() if isinstance(layer, nn.Linear)]
            yield from zip(linear[::2], linear[1::2], strict=False)
        inside = dict(module.named_modules())
        yield from ((prefix + one, prefix + other) for one, other in NAMED if one in inside and other in inside)


def _require_even(network: nn.Module, layers: list[str], count: int) -> None:
    if not layers:
        raise InvalidSpec(
            "params: parallel='tensor' splits pairs of linear layers, and this network has none; give it hidden layers "
            "or take parallel='fsdp'."
        )
    for name in layers:
        width = network.get_submodule(name).out_features
        if width % count:
            raise InvalidSpec(
                f"params: parallel='tensor' splits the {width} outputs of layer {name} over {count} processes; make "
                f"them a multiple of {count}, or take another number of workers."
            )
