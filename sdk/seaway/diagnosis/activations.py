"""What happens inside a network while it is called: units that never speak, and the operator that made no number."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

RELUS = {torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, functional.relu, functional.relu_}
PICTURE = 4


@dataclass
class Where:
    """Which module of a network is being called."""

    names: Mapping[nn.Module, str]
    stack: list[str] = field(default_factory=list)

    @property
    def now(self) -> str:
        return self.stack[-1] if self.stack else "the network"

    @contextmanager
    def followed(self) -> Iterator[None]:
        with ExitStack() as hooks:
            for module in self.names:
                hooks.callback(module.register_forward_pre_hook(self._enter).remove)
                hooks.callback(module.register_forward_hook(self._leave, always_call=True).remove)
            yield

    def _enter(self, module: nn.Module, _: Any) -> None:
        self.stack.append(self.names[module] or "the network")

    def _leave(self, *_: Any) -> None:
        self.stack.pop()


def inside(network: nn.Module) -> Where:
    return Where({module: name for name, module in network.named_modules()})


class Units(TorchFunctionMode):
    """Which units of each rectifier have spoken, be it a module or a function."""

    def __init__(self, where: Where) -> None:
        super().__init__()
        self._where = where
        self.spoke: dict[str, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in RELUS and isinstance(result, Tensor):
            self._note(result.detach())
        return result

    def _note(self, outputs: Tensor) -> None:
        units = outputs.movedim(1, -1) if outputs.dim() == PICTURE else outputs
        spoke = (units != 0).reshape(-1, units.shape[-1]).any(dim=0)
        known = self.spoke.get(self._where.now)
        self.spoke[self._where.now] = spoke if known is None or known.shape != spoke.shape else known | spoke


class FirstNotANumber(TorchDispatchMode):
    """The first operator that makes a NaN, or an infinity, of numbers; `found` is `operator in module`."""

    def __init__(self, where: Where) -> None:
        super().__init__()
        self._where = where
        self.found = ""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        made = result if isinstance(result, list | tuple) else (result,)
        if not self.found and any(map(_wrong, made)) and not any(map(_wrong, args)):
            self.found = f"{func.overloadpacket.__name__} in {self._where.now}"
        return result


def _wrong(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all())
