"""Answers by ExecuTorch, of a program with the delegate of XNNPACK."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from executorch.runtime import Runtime


def load(folder: Path, threads: int) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A function of one row's arrays, in the model's order, to its outputs."""
    torch.set_num_threads(threads)
    method = Runtime.get().load_program(folder / "model.pte").load_method("forward")
    return lambda arrays: [value.numpy() for value in method.execute([torch.from_numpy(array) for array in arrays])]
