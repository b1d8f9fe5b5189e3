"""The state of one process for all: parameters, buffers, and what an optimizer remembers."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from .collectives import broadcast_, broadcast_object


def broadcast_parameters(params: Mapping[str, Any] | Iterable[tuple[str, Any]], root_rank: int = 0) -> None:
    """Give all processes the tensors of one: `model.state_dict()` or `model.named_parameters()`."""
    named = params.items() if isinstance(params, Mapping) else params
    for _, tensor in sorted(named):
        if isinstance(tensor, torch.Tensor):
            broadcast_(tensor.data, root_rank)


def broadcast_optimizer_state(optimizer: torch.optim.Optimizer, root_rank: int = 0) -> None:
    """Give all processes what the optimizer of one remembers, and its settings.

    Others may remember nothing yet, so the tensors' shapes go first and the tensors after them.
    """
    state = optimizer.state_dict()
    shapes = broadcast_object(_map(state, lambda tensor: _Shape(tensor.shape, tensor.dtype)), root_rank)
    mine = list(_tensors(state)) if torch.distributed.get_rank() == root_rank else []
    received = iter([_received(shape, mine[number] if mine else None, root_rank)
                     for number, shape in enumerate(_shapes(shapes))])  # fmt: skip
    if not mine:
        optimizer.load_state_dict(_fill(shapes, received))


class _Shape:
    """Stands for a tensor in a message."""

    def __init__(self, shape: Iterable[int], dtype: torch.dtype) -> None:
        self.shape, self.dtype = tuple(shape), dtype


def _received(shape: _Shape, mine: torch.Tensor | None, root_rank: int) -> torch.Tensor:
    return broadcast_(torch.empty(shape.shape, dtype=shape.dtype) if mine is None else mine, root_rank)


def _map(value: Any, made: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return made(value)
    if isinstance(value, dict):
        return {key: _map(item, made) for key, item in value.items()}
    return [_map(item, made) for item in value] if isinstance(value, list) else value


def _walk(value: Any, kind: type) -> Iterable[Any]:
    if isinstance(value, kind):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _walk(item, kind)


def _tensors(value: Any) -> Iterable[torch.Tensor]:
    return _walk(value, torch.Tensor)


def _shapes(value: Any) -> Iterable[_Shape]:
    return _walk(value, _Shape)


def _fill(value: Any, received: Any) -> Any:
    if isinstance(value, _Shape):
        return next(received)
    if isinstance(value, dict):
        return {key: _fill(item, received) for key, item in value.items()}
    return [_fill(item, received) for item in value] if isinstance(value, list) else value
