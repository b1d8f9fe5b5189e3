"""ExecuTorch's program, PyTorch Mobile's successor: Android, iOS, small Linux; on the processor by XNNPACK."""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from seaway.edge.port import FLOAT32, INT8_STATIC, Recipe

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph


class ExecuTorch:
    """See `seaway.edge.EdgeTarget`."""

    name = "executorch"
    title = "ExecuTorch"
    files = ("model.pte",)
    converts = ("executorch", "torch")
    runtime = "executorch"
    minimum = MappingProxyType({"android": "6.0 (API 23)", "ios": "17", "linux": "glibc 2.28", "macos": "12"})
    systems = ("linux", "darwin")
    runner = "executorch"
    reads = "ExecuTorch on Android, iOS, Linux"
    precisions = (FLOAT32, INT8_STATIC)

    def convert(self, graph: "EdgeGraph", folder: Path, recipe: Recipe) -> None:
        """What XNNPACK takes goes to it, the rest to ExecuTorch's portable operators."""
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        program = graph.program if recipe.precision == FLOAT32 else _quantized(graph, recipe)
        lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
        (folder / self.files[0]).write_bytes(lowered.to_executorch().buffer)


def _quantized(graph: "EdgeGraph", recipe: Recipe) -> Any:
    """By torchao, as XNNPACK computes: weights by channel, values by the ranges of the calibration rows."""
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    prepared = prepare_pt2e(graph.program.module(), xnnpack_quantizer(recipe.kept))
    for row in recipe.calibration:
        prepared(*map(torch.from_numpy, row))
    return torch.export.export(convert_pt2e(prepared), graph.example, strict=False)


def xnnpack_quantizer(kept: frozenset[str] = frozenset(), qat: bool = False) -> Any:
    """What torchao's quantizations are told by; layers of these names, and what prepares the inputs, are left alone.

    XNNPACK's own would take the range of integers that are joined, and of numbers that are missing, and make floats of
    numbers that are added to integers.
    """
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )

    from seaway.edge.layers import is_layer

    class Partly(XNNPACKQuantizer):  # type: ignore[misc]  # of an untyped package
        def transform_for_annotation(self, model: Any) -> Any:
            given = {node: node.args for node in model.graph.nodes if not _is_float(node)}
            super().transform_for_annotation(model)
            for node, args in given.items():
                node.args = args
            model.graph.eliminate_dead_code()
            model.recompile()
            return model

        def annotate(self, model: Any) -> Any:
            annotated = super().annotate(model)
            behind: set[Any] = set()  # the layers and what follows them; before them numbers may still be missing
            for node in annotated.graph.nodes:
                if is_layer(node) or behind.intersection(node.all_input_nodes):
                    behind.add(node)
                if node not in behind or not _is_float(node):
                    node.meta.pop("quantization_annotation", None)
            return annotated

    quantizer = Partly().set_global(get_symmetric_quantization_config(is_per_channel=True, is_qat=qat))
    return quantizer.set_filter_function(lambda node: node.name not in kept)


def _is_float(node: Any) -> bool:
    """Whether a node of a graph gives a tensor of floats."""
    import torch

    value = node.meta.get("val")
    return isinstance(value, torch.Tensor) and value.is_floating_point()
