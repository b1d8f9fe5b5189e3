"""Stages of a network on one process each, through which the parts of a step's rows go one after the other.

Huang et al. 2019, "GPipe"; torch.distributed.pipelining. Every process has the whole network, but the weights of
other stages without their memory (on torch's device `meta`). Steps are filled up to `batch_size` rows, because stages
exchange tensors of one shape; the rows that fill have no loss.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import safetensors.torch
import torch
from torch import Tensor, nn

from seaway.errors import InvalidSpec
from seaway.tasks import Task
from seaway.training.loop.process_group import Worker

FILL = -1  # in place of the number of a row


class Link(nn.Module):
    """A part of a network: some of its modules, and what is computed by them."""

    def __init__(self, modules: Sequence[nn.Module], compute: Callable[..., Tensor]) -> None:
        super().__init__()
        self.owned = nn.ModuleList(modules)
        self.compute = compute

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.compute(*inputs)

    @property
    def weights(self) -> int:
        return sum(weight.numel() for weight in self.parameters())


@runtime_checkable
class Chained(Protocol):
    """A network that is a chain."""

    def chain(self) -> list[Link]:
        """Its parts: the first takes what the network takes, each other what the one before it gives."""
        ...


@dataclass(frozen=True)
class PipelineWorker(Worker):
    """One process of `count`, with one stage of the network."""

    @property
    def share(self) -> tuple[int, int]:
        return 0, 1

    def split(self, network: nn.Module) -> None:
        """Drop the weights of other stages, in place. Raises: InvalidSpec: it cannot be cut into as many stages."""
        for place, links in enumerate(stages(network, self.count)):
            if place != self.rank:
                for link in links:
                    link.to("meta")

    def distributed(self, network: nn.Module) -> nn.Module:
        """The network itself; `Pipeline` is what trains it."""
        return network

    def whole(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Those of all stages, on each process."""
        mine = {name: tensor.detach().contiguous() for name, tensor in tensors.items() if not tensor.is_meta}
        everything: dict[str, Tensor] = {}
        for rank in range(self.count):
            data = self.same(safetensors.torch.save(mine) if rank == self.rank else None, rank)
            everything |= safetensors.torch.load(data or b"")
        return {name: tensor.to(self.device) for name, tensor in everything.items()}


def stages(network: nn.Module, count: int) -> list[list[Link]]:
    """The links of each stage, in order: the stage with the most weights has as few as can be.

    Raises:
        InvalidSpec: the network is no chain, or has fewer parts with weights than stages are asked for.
    """
    if not isinstance(network, Chained):
        raise InvalidSpec(
            f"params: parallel='pipeline' needs a network that is a chain of layers; {type(network).__name__} tells "
            "none. Take parallel='fsdp' or 'tensor'."
        )
    groups = list(_with_weights(network.chain()))
    if len(groups) < count:
        raise InvalidSpec(
            f"params: parallel='pipeline' asks for {count} stages, and the network has {len(groups)} parts with "
            "weights; give it more hidden layers, or take fewer workers."
        )
    return [[link for group in stage for link in group] for stage in _cut(groups, count)]


def _with_weights(chain: Sequence[Link]) -> Iterator[list[Link]]:
    """Each link with weights, and those without that follow it."""
    group: list[Link] = []
    for link in chain:
        if link.weights and any(other.weights for other in group):
            yield group
            group = []
        group.append(link)
    yield group


def _cut(groups: list[list[Link]], count: int) -> list[list[list[Link]]]:
    if count == 1:
        return [groups]
    options = ([groups[:at], *_cut(groups[at:], count - 1)] for at in range(1, len(groups) - count + 2))
    return min(options, key=lambda cut: max(sum(link.weights for group in stage for link in group) for stage in cut))


class Pipeline(nn.Module):
    """The network in its stages. Called with a batch it gives the outputs on the last process, and zeros on others.

    A step's rows go through in `parts` parts.
    """

    def __init__(self, network: nn.Module, worker: Worker, task: Task, batch_size: int, parts: int) -> None:
        super().__init__()
        self.network = network
        self.worker = worker
        self.task = task
        self.parts = parts
        self.rows = -(-batch_size // parts) * parts
        self.stages = nn.ModuleList(_Stage(links) for links in stages(network, worker.count))
        self.last = worker.rank == worker.count - 1
        self._schedules: dict[bool, Any] = {}
        self._labels: Tensor = torch.empty(0)
        self._size = 1

    def learn(self, batch: tuple[Tensor, ...], labels: Tensor, size: int) -> Tensor:
        """Add the gradients of some rows of a step of `size`; their loss on the last process, and zero on others."""
        self._labels, self._size = labels, size
        numbers = torch.full((self.rows,), FILL, device=self.worker.device)
        numbers[: len(labels)] = torch.arange(len(labels), device=self.worker.device)
        losses: list[Tensor] = []
        given = self._filled(batch) if self.worker.first else ()
        self._schedule(batch, True).step(
            *given, target=numbers if self.last else None, losses=losses if self.last else None, return_outputs=False
        )
        return torch.stack(losses).sum().detach() * size if self.last else torch.zeros((), device=self.worker.device)

    def _loss(self, outputs: Tensor, numbers: Tensor) -> Tensor:
        """Of a part, divided by the rows of its step."""
        there = numbers != FILL
        return cast(Tensor, self.task.loss(outputs[there].float(), self._labels[numbers[there]]) / self._size)

    def forward(self, *batch: Tensor) -> Tensor:
        """Outputs float32 [rows, width]."""
        pieces = [self._outputs(piece) for piece in zip(*(each.split(self.rows) for each in batch), strict=True)]
        return torch.cat(pieces)

    def _outputs(self, batch: tuple[Tensor, ...]) -> Tensor:
        given = self._filled(batch) if self.worker.first else ()
        outputs = self._schedule(batch, False).step(*given)
        if not self.last:
            return torch.zeros((len(batch[0]), self.task.width), device=self.worker.device)
        return cast(Tensor, outputs[: len(batch[0])])

    def _filled(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The batch with zeros up to the rows of a step."""
        return tuple(torch.cat([each, each.new_zeros((self.rows - len(each), *each.shape[1:]))]) for each in batch)

    def _schedule(self, batch: tuple[Tensor, ...], learning: bool) -> Any:
        """With a loss and a way back, or without."""
        from torch.distributed.pipelining import PipelineStage, ScheduleGPipe

        if learning not in self._schedules:
            shapes = self._shapes(batch)
            rank, count = self.worker.rank, self.worker.count
            stage = PipelineStage(self.stages[rank], rank, count, self.worker.device, shapes[rank], shapes[rank + 1])
            loss = self._loss if learning else None
            self._schedules[learning] = ScheduleGPipe(stage, self.parts, loss, scale_grads=False)
        return self._schedules[learning]

    def _shapes(self, batch: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
        """What goes into each stage, and out of the last, without its memory: so nobody has to be asked."""
        at_once = self.rows // self.parts
        shapes = [tuple(each.new_empty((at_once, *each.shape[1:]), device="meta") for each in batch)]
        for stage in copy.deepcopy(self.stages).to("meta"):
            shapes.append((stage(*shapes[-1]),))
        return shapes


class _Stage(nn.Module):
    """Links that are computed one after the other."""

    def __init__(self, links: Sequence[Link]) -> None:
        super().__init__()
        self.links = nn.ModuleList(links)

    def forward(self, *inputs: Tensor) -> Tensor:
        for link in self.links:
            inputs = (link(*inputs),)
        return inputs[0]
