"""Who the processes of a training are: torchrun's variables, which every backend of Seaway sets."""

import os

import torch
import torch.distributed as dist


def init(*_: object, **__: object) -> None:
    """Meet the other processes; one that was started alone is a world of its own."""
    if dist.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank() % torch.cuda.device_count())
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group(backend)
    else:
        dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)


def shutdown() -> None:
    """Part from the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def is_initialized() -> bool:
    return bool(dist.is_initialized())


def rank() -> int:
    _require_init()
    return int(dist.get_rank())


def size() -> int:
    _require_init()
    return int(dist.get_world_size())


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


def local_size() -> int:
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def cross_rank() -> int:
    """Which machine this is."""
    return rank() // local_size()


def cross_size() -> int:
    """How many machines there are."""
    return size() // local_size()


def is_homogeneous() -> bool:
    return True


def gloo_built() -> bool:
    return True


def gloo_enabled() -> bool:
    return True


def nccl_built() -> bool:
    return bool(dist.is_nccl_available())


def mpi_built() -> bool:
    return False


def mpi_enabled() -> bool:
    return False


def mpi_threads_supported() -> bool:
    return False


def _require_init() -> None:
    if not dist.is_initialized():
        raise ValueError("Horovod has not been initialized; use hvd.init().")
