"""The layers of a model on a device, and how much each suffers in eight bits."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils import _pytree as pytree

from seaway.edge.form import EdgeGraph
from seaway.edge.port import Row

WEIGHED = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose2d")
ASKED_ROWS = 32  # that tell how much a layer suffers
LEVELS = 255.0


def layers(graph: EdgeGraph) -> dict[str, str]:
    """Names of the nodes that compute with a weight each, in the order in which they are computed, and the weights'."""
    nodes = graph.program.module().graph.nodes
    return {node.name: str(node.args[1].target) for node in nodes if is_layer(node)}


def sizes(graph: EdgeGraph) -> dict[str, int]:
    """How many numbers the weight of each layer has."""
    held = graph.program.state_dict
    return {name: held[weight].numel() for name, weight in layers(graph).items()}


def ranked(graph: EdgeGraph, rows: Sequence[Row]) -> list[str]:
    """The layers, first the one whose rounding to eight bits, alone, changes the answers most.

    Each is asked in its turn, with weights rounded by channel and values by their range; the change is the mean square
    over a few rows.
    """
    module = graph.program.module()
    asked = [[torch.from_numpy(array) for array in row] for row in rows[:: max(1, len(rows) // ASKED_ROWS)]]
    wanted = [_answers(module, row, "") for row in asked]
    harm = {name: _harm(module, asked, wanted, name) for name in layers(graph)}
    return sorted(harm, key=lambda name: -harm[name])


def is_layer(node: fx.Node) -> bool:
    """Whether a node computes with a weight of the graph."""
    if node.op != "call_function" or str(node.target).removeprefix("aten.").split(".")[0] not in WEIGHED:
        return False
    return isinstance(node.args[1], fx.Node) and node.args[1].op == "get_attr"


def _harm(module: Any, rows: Sequence[Sequence[Tensor]], wanted: Sequence[Tensor], layer: str) -> float:
    changes = [(_answers(module, row, layer) - whole).square().mean() for row, whole in zip(rows, wanted, strict=True)]
    return float(torch.stack(changes).mean())


@torch.no_grad()
def _answers(module: Any, row: Sequence[Tensor], layer: str) -> Tensor:
    found = _Rounding(module, layer).run(*row, enable_io_processing=False)
    return torch.cat([leaf.reshape(-1).float() for leaf in pytree.tree_leaves(found)])


class _Rounding(fx.Interpreter):
    """Runs a graph, one layer of it in eight bits."""

    def __init__(self, module: Any, layer: str) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.layer = layer

    def run_node(self, n: fx.Node) -> Any:
        if n.name != self.layer:
            return super().run_node(n)
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        given, weight, *others = args
        by_channel = torch.stack([rounded(channel) for channel in weight])
        return self.call_function(n.target, (rounded(given), by_channel, *others), kwargs)


def rounded(values: Tensor) -> Tensor:
    """To the nearest of 256 values from the least to the largest of them, zero among them."""
    least, most = values.min().clamp(max=0), values.max().clamp(min=0)
    scale = (most - least).clamp(min=1e-12) / LEVELS
    zero = (-least / scale).round()
    return ((values / scale + zero).round().clamp(0, LEVELS) - zero) * scale
