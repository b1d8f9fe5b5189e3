"""Weights, gradients and optimizer state split over the processes, each holding its part of every tensor (FSDP2).

Zhao et al. 2023, "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel"; torch.distributed.fsdp.
Checkpoints and models hold whole tensors, so that they do not depend on the number of processes.
"""

import torch.distributed as dist
from torch import Tensor, nn


def shard(network: nn.Module) -> None:
    """Split the weights of each layer, in place; all processes must hold equal ones. Make the optimizer afterwards."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    device = next(network.parameters()).device
    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    for layer in network.modules():
        if isinstance(layer, nn.Embedding | nn.Linear):
            fully_shard(layer, mesh=mesh)
    fully_shard(network, mesh=mesh)


def whole(tensor: Tensor) -> Tensor:
    """The whole tensor, on every process; all call it in the same order."""
    from torch.distributed.tensor import DTensor

    return tensor.full_tensor().detach() if isinstance(tensor, DTensor) else tensor.detach()


def split_like(tensor: Tensor, example: Tensor) -> Tensor:
    """This process's part of a whole tensor that every process has, split as `example` is."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(example, DTensor):
        return tensor
    mesh = example.device_mesh
    return distribute_tensor(tensor.to(mesh.device_type), mesh, example.placements, src_data_rank=None)
