"""Weights that a model does without: whole channels, which make it smaller and quicker anywhere, or two of every four.

A channel is what one output of a layer is, a neuron or a feature map. It is left out where all that follows it, up to
the next layers, treats every channel for itself, so that those layers lose the same inputs: activations, poolings,
normalisations by batch, a flattening. A normalisation by groups loses equally many of each. Channels that meet others
(a sum of two branches, attention) stay, and are told.
The least are left out, by the sum of their weights' magnitudes (Li et al. 2017, "Pruning Filters for Efficient
ConvNets").

Two of every four neighbouring weights are zero by Mishra et al. 2021, "Accelerating Sparse Deep Neural Networks": the
form that tensor cores compute at twice the rate. On other hardware it is no quicker, but it compresses.
"""

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx

from seaway.edge.finetuning import Trained, TuneParams, finetune, put_weights, write_tuned
from seaway.errors import InvalidSpec
from seaway.training.loop.teacher_params import TeacherParams

STRUCTURED, TWO_OF_FOUR = "structured", "2:4"
KINDS = (STRUCTURED, TWO_OF_FOUR)
SOFT = TeacherParams("", soft=0.5)
FOUR, TWO = 4, 2
LAYERS = ("linear", "conv2d")
ALONE = (  # operators that treat each channel for itself
    *("relu", "relu_", "gelu", "silu", "silu_", "sigmoid", "tanh", "elu", "leaky_relu", "hardswish", "hardswish_"),
    *("hardsigmoid", "hardtanh", "hardtanh_", "relu6", "dropout", "clone", "detach", "contiguous", "alias"),
    *("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "batch_norm", "group_norm"),
)


@dataclass
class Chain:
    """A layer whose channels can be left out, and all that reads them.

    Attributes:
        layer: the node.
        scales: what normalisations on the way have for each channel.
        groups: of channels that are normalised together; each loses equally many.
        readers: layers that take the channels, each with how many of its inputs stand for one.
    """

    layer: fx.Node
    scales: list[Any] = field(default_factory=list)
    groups: int = 1
    readers: list[tuple[fx.Node, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Pruned:
    """What was left out, and the figures of the best epoch after it.

    Attributes:
        weights_before: numbers of all weights.
        weights_after: those that are there and not zero.
        layers: name of each layer that lost channels, and how many it had and has; of `2:4` those that were masked.
        whole: layers that stayed as they are.
        history: figures of the best epoch.
    """

    weights_before: int
    weights_after: int
    layers: dict[str, tuple[int, int]]
    whole: tuple[str, ...]
    history: dict[str, Any]

    @property
    def metrics(self) -> dict[str, float]:
        """The figures that a dashboard shows, by name."""
        told = {name: float(value) for name, value in self.history.items() if name.startswith("validation_")}
        counts = {"weights_before": self.weights_before, "weights_after": self.weights_after}
        return {**counts, "layers_pruned": len(self.layers), "layers_whole": len(self.whole), **told}

    @property
    def summary(self) -> str:
        """One line."""
        return (
            f"{self.weights_after:,} of {self.weights_before:,} weights, {len(self.layers)} layer(s) pruned, "
            f"validation loss {self.history['validation_loss']:.4f}"
        )


def prune_model(
    model: Path,
    train: Path,
    validation: Path,
    output: Path,
    params: TuneParams,
    *,
    kind: str = STRUCTURED,
    share: float = 0.5,
    seed: int = 0,
) -> Pruned:
    """Leave weights out of a model, train what is left for some epochs, and write the files of a trained model.

    Args:
        model: Package, or trained model, of a graph of torch.export whose signature says a task.
        train: Parquet file of training rows with the label.
        validation: Parquet file of the rows that early stopping looks at.
        output: Folder of the model that comes out.
        params: Epochs, rows a step, learning rate.
        kind: `structured` or `2:4`.
        share: Of each layer's channels that is left out, where it is structured.
        seed: Of the order of rows.

    Raises:
        InvalidSpec: no such kind, a share that is none, a model of another flavour or without a task, or one in which
            nothing can be left out.
        DataUnreadable: rows lack an input or the label.
        TrainingFailed: the loss is no number any more.
    """
    if kind not in KINDS or not 0 < share < 1:
        raise InvalidSpec(
            f"kind={kind!r}, share={share!r}: give one of {', '.join(KINDS)}, and a share between 0 and 1."
        )
    found = Trained.read(model, train, validation)
    lesson, before = found.lesson(SOFT), _count(found.program.state_dict)
    if kind == STRUCTURED:
        graph, lost, whole = _narrowed(found, share)
        fit = finetune(found, graph, params, seed, lesson)
        program = _exported(found, graph)
    else:
        graph, program = found.program.module(), found.program
        masks, whole = _masks(graph)
        lost = {name: (mask.numel(), int(mask.sum())) for name, mask in masks.items()}
        weights = dict(graph.named_parameters())
        fit = finetune(found, graph, params, seed, lesson, lambda: _mask(weights, masks))
        _mask(weights, masks)
        put_weights(program, weights)
    write_tuned(program, model, output)
    history = dict(fit.history[fit.best_epoch - 1])
    return Pruned(before, _count(program.state_dict), lost, tuple(whole), history)


def _count(weights: dict[str, Any]) -> int:
    return sum(int(tensor.count_nonzero()) for tensor in weights.values() if tensor.is_floating_point())


def _exported(found: Trained, graph: Any) -> torch.export.ExportedProgram:
    rows = torch.export.Dim("rows")
    example = tuple(each[:2] for each in found.train.inputs)
    return torch.export.export(graph, example, dynamic_shapes=tuple({0: rows} for _ in example), strict=False)


# Two of four


def two_of_four(weight: Tensor) -> Tensor:
    """A mask of the two largest of every four neighbouring inputs of an output."""
    groups = weight.detach().abs().reshape(len(weight), -1).reshape(-1, FOUR)
    mask = torch.zeros_like(groups).scatter_(1, groups.topk(TWO, dim=1).indices, 1.0)
    return mask.reshape(weight.shape)


def _masks(graph: Any) -> tuple[dict[str, Tensor], list[str]]:
    weights, masks, whole = dict(graph.named_parameters()), dict[str, Tensor](), list[str]()
    for node in _layers(graph):
        name = str(node.args[1].target)
        if weights[name][0].numel() % FOUR:
            whole.append(node.name)
        else:
            masks[name] = two_of_four(weights[name])
    if not masks:
        raise InvalidSpec("No layer of the model has inputs in multiples of four, so none is pruned by 2:4.")
    return masks, whole


@torch.no_grad()
def _mask(weights: dict[str, Tensor], masks: dict[str, Tensor]) -> None:
    for name, mask in masks.items():
        weights[name].mul_(mask)


# Whole channels


def _narrowed(found: Trained, share: float) -> tuple[Any, dict[str, tuple[int, int]], list[str]]:
    graph = found.program.module()
    chains, whole = chains_of(graph)
    lost: dict[str, tuple[int, int]] = {}
    for chain in chains:
        weight = graph.get_parameter(str(chain.layer.args[1].target))
        kept = _largest(weight, share, chain.groups)
        _keep(graph, chain, kept)
        lost[chain.layer.name] = (len(weight), len(kept))
    if not lost:
        raise InvalidSpec("No layer's channels can be left out: each meets others before the next layer. Try 2:4.")
    return graph, lost, whole


def chains_of(graph: Any) -> tuple[list[Chain], list[str]]:
    """Layers whose channels can be left out, and the names of those whose cannot."""
    found = {node.name: _chain(graph, node) for node in _layers(graph)}
    shared = _shared(graph)
    chains = [chain for chain in found.values() if chain and not shared & {str(chain.layer.args[1].target)}]
    return chains, [name for name in found if name not in {chain.layer.name for chain in chains}]


def _layers(graph: Any) -> Iterator[fx.Node]:
    for node in graph.graph.nodes:
        if _name(node) in LAYERS and isinstance(node.args[1], fx.Node) and node.args[1].op == "get_attr":
            yield node


def _name(node: fx.Node) -> str:
    return str(node.target).removeprefix("aten.").split(".")[0] if node.op == "call_function" else ""


def _shared(graph: Any) -> set[str]:
    """Weights that more than one node reads."""
    return {str(node.target) for node in graph.graph.nodes if node.op == "get_attr" and len(node.users) > 1}


def _chain(graph: Any, layer: fx.Node) -> Chain | None:
    """None where channels meet others, are answered, or the layer has groups."""
    if _name(layer) == "conv2d" and _groups(layer) != 1:
        return None
    chain = Chain(layer)
    return chain if _follow(graph, chain, layer, layer, 1) and chain.readers else None


def _groups(node: fx.Node) -> int:
    groups = 6  # the argument of aten.conv2d
    return int(node.args[groups]) if len(node.args) > groups else 1


def _follow(graph: Any, chain: Chain, source: fx.Node, before: fx.Node, each: int) -> bool:
    """Take what reads a node into the chain; whether all of it can lose channels. `each` is how many values one is."""
    for node in before.users:
        name = _name(node)
        if name in LAYERS:
            if node.args[0] is not before or (name == "conv2d" and _groups(node) != 1):
                return False
            chain.readers.append((node, each))
        elif name == "flatten":
            ratio = _flattened(graph, chain, node, before)
            if ratio is None or not _follow(graph, chain, source, node, each * ratio):
                return False
        elif name in ALONE and node.args[0] is before:
            if name == "batch_norm":
                chain.scales += node.args[1:5]
            if name == "group_norm":
                chain.scales += node.args[2:4]
                chain.groups = math.lcm(chain.groups, node.args[1])
            if not _follow(graph, chain, source, node, each):
                return False
        else:
            return False
    return True


def _flattened(graph: Any, chain: Chain, node: fx.Node, before: fx.Node) -> int | None:
    """Values of a channel once a picture is made flat from its channels on; None where it is made flat otherwise."""
    if node.args[1:2] != (1,):
        return None
    shape = before.meta["val"].shape
    return int(torch.Size(shape[2:]).numel())


def _largest(weight: Tensor, share: float, groups: int) -> Tensor:
    """Places of the channels that stay, in their order; equally many of each group, at least one."""
    strength = weight.detach().abs().flatten(1).sum(1).reshape(groups, -1)
    each = strength.shape[1]
    count = max(1, round(each * (1 - share)))
    places = strength.topk(count, dim=1).indices + torch.arange(groups)[:, None] * each
    return places.reshape(-1).sort().values


def _keep(graph: Any, chain: Chain, kept: Tensor) -> None:
    weight, *bias = chain.layer.args[1:3]
    _cut(graph, weight, kept, 0)
    for one in (*bias, *chain.scales):
        if one is not None:
            _cut(graph, one, kept, 0)
    for reader, each in chain.readers:
        places = (kept[:, None] * each + torch.arange(each)).reshape(-1)
        _cut(graph, reader.args[1], places, 1)


def _cut(graph: Any, node: Any, kept: Tensor, axis: int) -> None:
    """Leave out of a weight what is not kept, in place."""
    owner, _, name = str(node.target).rpartition(".")
    module = graph.get_submodule(owner)
    held = operator.attrgetter(name)(module)
    fewer = held.detach().index_select(axis, kept).clone()
    if isinstance(held, torch.nn.Parameter):
        setattr(module, name, torch.nn.Parameter(fewer))
    else:
        module.register_buffer(name, fewer)
