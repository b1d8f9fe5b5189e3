"""Training that outlives its processes: what was committed is on disk, and whoever starts them anew goes on from it.

Horovod keeps commits in memory and the processes alive. Here the backend starts all processes anew, on the nodes that
it has, so a commit is a checkpoint in SEAWAY_CHECKPOINTS under SEAWAY_FINGERPRINT: safetensors and JSON, no pickle.
"""

import copy
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from seaway.training.checkpoint import Checkpoint, Checkpoints

from . import processes
from .collectives import barrier
from .state import broadcast_optimizer_state, broadcast_parameters

MODEL, OPTIMIZER = "model.", "optimizer."


class TorchState:
    """A model, an optimizer and plain values that are to be kept together, such as `batch=0, epoch=0`."""

    def __init__(self, model: Any = None, optimizer: Any = None, **values: Any) -> None:
        self.model, self.optimizer = model, optimizer
        self._names, self._commits = sorted(values), 0
        for name, value in values.items():
            setattr(self, name, value)
        self._callbacks: list[Callable[[], None]] = []
        self.save()

    def register_reset_callbacks(self, callbacks: list[Callable[[], None]]) -> None:
        """Called when processes have been started anew and the state is back."""
        self._callbacks.extend(callbacks)

    def save(self) -> None:
        """Remember, in this process."""
        parts = [part.state_dict() for part in (self.model, self.optimizer) if part is not None]
        self._saved = copy.deepcopy((parts, self._values()))

    def restore(self) -> None:
        """Go back to what this process remembers."""
        parts, values = copy.deepcopy(self._saved)
        for part, saved in zip([part for part in (self.model, self.optimizer) if part is not None], parts, strict=True):
            part.load_state_dict(saved)
        for name, value in values.items():
            setattr(self, name, value)

    def commit(self) -> None:
        """Remember, and write it for processes that come after."""
        self.save()
        self._commits += 1
        if processes.rank() == 0 and (kept := _kept()) is not None:
            state = {"values": self._values(), "optimizer": _without_tensors(self._optimizer_state())}
            kept.save(Checkpoint(self._commits, self._tensors(), state))

    def check_host_updates(self) -> None:
        """The backend ends and starts the processes itself when nodes come or go."""

    def sync(self) -> None:
        """Take what was committed last, if anything was; then what the first process has."""
        barrier()
        found = kept.newest() if (kept := _kept()) is not None else None
        if found is not None:
            self._take(found)
        if self.model is not None:
            broadcast_parameters(self.model.state_dict(), 0)
        if self.optimizer is not None:
            broadcast_optimizer_state(self.optimizer, 0)
        self.save()
        if found is not None:
            for callback in self._callbacks:
                callback()

    def _take(self, found: Checkpoint) -> None:
        self._commits = found.epoch
        if self.model is not None:
            self.model.load_state_dict(_below(MODEL, found))
        if self.optimizer is not None:
            self.optimizer.load_state_dict(_with_tensors(found.state["optimizer"], _below(OPTIMIZER, found)))
        for name, value in found.state["values"].items():
            setattr(self, name, value)

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._names}

    def _optimizer_state(self) -> dict[str, Any]:
        return {} if self.optimizer is None else self.optimizer.state_dict()

    def _tensors(self) -> dict[str, torch.Tensor]:
        model = {} if self.model is None else self.model.state_dict()
        found = {f"{MODEL}{name}": tensor.clone() for name, tensor in model.items()}
        return found | {f"{OPTIMIZER}{name}": tensor.clone() for name, tensor in _of_optimizer(self._optimizer_state())}


def run(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have a function that takes a state begin with what was committed last."""

    @functools.wraps(function)
    def running(state: TorchState, *arguments: Any, **named: Any) -> Any:
        state.sync()
        return function(state, *arguments, **named)

    return running


def _kept() -> Checkpoints | None:
    """Where commits are; nowhere outside a training of Seaway."""
    folder, fingerprint = os.environ.get("SEAWAY_CHECKPOINTS"), os.environ.get("SEAWAY_FINGERPRINT")
    if not folder or not fingerprint:
        return None
    place = Path(folder) / f"{fingerprint[:16]}.commits"
    place.mkdir(parents=True, exist_ok=True)
    return Checkpoints(place, fingerprint)


def _below(prefix: str, found: Checkpoint) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in found.tensors.items() if name.startswith(prefix)}


def _of_optimizer(state: dict[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for number, remembered in state.get("state", {}).items():
        for name, value in remembered.items():
            if isinstance(value, torch.Tensor):
                yield f"{number}.{name}", value


def _without_tensors(state: dict[str, Any]) -> dict[str, Any]:
    """Groups and numbers as JSON; tensors are named by their place."""
    remembered = {
        str(number): {name: None if isinstance(value, torch.Tensor) else value for name, value in one.items()}
        for number, one in state.get("state", {}).items()
    }
    groups = [
        {name: float(value) if isinstance(value, torch.Tensor) else value for name, value in group.items()}
        for group in state.get("param_groups", [])
    ]
    return {"state": remembered, "param_groups": groups}


def _with_tensors(state: dict[str, Any], tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    remembered = {
        int(number): {name: tensors.get(f"{number}.{name}", value) for name, value in one.items()}
        for number, one in state["state"].items()
    }
    return {"state": remembered, "param_groups": state["param_groups"]}
