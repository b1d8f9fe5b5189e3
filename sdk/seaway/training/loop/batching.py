"""Which rows make a step: the same on any number of processes."""

from collections.abc import Iterator

import torch
from torch import Tensor


def epoch_order(rows: int, seed: int, epoch: int) -> Tensor:
    """A permutation of the rows that depends on seed and epoch only, int64 [rows]."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    return torch.randperm(rows, generator=generator)


def shards(order: Tensor, batch_size: int, rank: int, count: int) -> Iterator[tuple[Tensor, int]]:
    """This process's rows of each global batch, and the rows of the global batch; a share may be empty."""
    for batch in order.split(batch_size):
        yield batch[rank::count], len(batch)
