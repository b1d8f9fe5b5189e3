"""A 64-bit integer as two of 32 bits, which every edge format keeps exactly; comparisons of such pairs.

`high` is the upper half, signed; `low` is the lower one less 2**31, so that both compare as signed numbers do. In a
graph they are a `Halves` of tensors; whoever calls a model on a device makes them by `split`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

BITS = 32
MASK = (1 << BITS) - 1
BIAS = 1 << (BITS - 1)


def split(values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """`high` and `low` of int64 values, of the same shape."""
    return (values >> BITS).astype(np.int32), ((values & MASK) - BIAS).astype(np.int32)


@dataclass(frozen=True)
class Halves:
    """A pair of int32 tensors of one shape."""

    high: "Tensor"
    low: "Tensor"

    @classmethod
    def of(cls, value: Any) -> "Halves":
        """A pair, a number, or an int64 tensor of values that fit in 32 bits."""
        import torch

        if isinstance(value, Halves):
            return value
        if isinstance(value, int):
            return cls(torch.tensor(value >> BITS, dtype=torch.int32), torch.tensor((value & MASK) - BIAS).int())
        below = value < 0
        moved = torch.where(below, value + (BIAS - 1) + 1, value - (BIAS - 1) - 1)
        return cls(-below.to(torch.int32), moved.to(torch.int32))


def equal(left: Halves, right: Halves) -> "Tensor":
    import torch

    return torch.logical_and(torch.eq(left.high, right.high), torch.eq(left.low, right.low))


def less(left: Halves, right: Halves) -> "Tensor":
    import torch

    within = torch.logical_and(torch.eq(left.high, right.high), torch.lt(left.low, right.low))
    return torch.logical_or(torch.lt(left.high, right.high), within)
