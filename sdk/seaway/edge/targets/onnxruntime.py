"""ONNX, answered by ONNX Runtime: Android, iOS, Linux, Windows, browsers."""

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from seaway.edge.port import FLOAT32, INT8_DYNAMIC, INT8_STATIC, INT8_WEIGHTS, Recipe
from seaway.edge.targets.onnx_weights import compress_weights
from seaway.errors import InvalidSpec
from seaway.models.signature import Array

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph

OPSET = 20  # ONNX Runtime 1.17 and newer
QUANTIZED = ("Conv", "Gemm", "MatMul")


class OnnxRuntime:
    """See `seaway.edge.EdgeTarget`."""

    name = "onnxruntime"
    title = "ONNX Runtime"
    files = ("model.onnx",)
    converts = ("onnx", "onnxscript", "torch")
    runtime = "onnxruntime"
    minimum = MappingProxyType({"android": "7.0 (API 24)", "ios": "15.1", "linux": "glibc 2.27", "windows": "10"})
    systems = ("linux", "darwin", "win32")
    runner = "onnxruntime"
    reads = "ONNX Runtime on Android, iOS, Linux, Windows; ONNX Runtime Web"

    precisions = (FLOAT32, INT8_STATIC, INT8_DYNAMIC, INT8_WEIGHTS)

    def convert(self, graph: "EdgeGraph", folder: Path, recipe: Recipe) -> None:
        """By torch's own exporter, the weights within the file; then by ONNX Runtime's own quantizer."""
        import onnx
        import torch

        names = {"input_names": [one.name for one in graph.inputs], "output_names": list(graph.outputs)}
        made = torch.onnx.export(graph.program, (), dynamo=True, opset_version=OPSET, verbose=False, **names)
        file = folder / self.files[0]
        model = made.model_proto  # written anew whenever it is asked for
        kept = _nodes(model, graph, recipe.kept)
        if recipe.precision == INT8_WEIGHTS:
            compress_weights(model, kept)
        onnx.save_model(model, file)
        if recipe.precision in (INT8_STATIC, INT8_DYNAMIC):
            rows = [dict(zip(names["input_names"], row, strict=True)) for row in recipe.calibration]
            _quantize(file, recipe.precision, rows, kept)


def _nodes(model: Any, graph: "EdgeGraph", kept: frozenset[str]) -> list[str]:
    """The nodes that read the weights of those layers. Raises: InvalidSpec: there is no such layer."""
    from seaway.edge.layers import layers

    weights = layers(graph)
    readers = {name: node.name for node in model.graph.node for name in node.input}
    if missing := sorted(name for name in kept if weights.get(name) not in readers):
        raise InvalidSpec(f"ONNX has no node for the layer {', '.join(missing)}, so it cannot be kept in float32.")
    return sorted(readers[weights[name]] for name in kept)


def _quantize(file: Path, precision: str, rows: Sequence[dict[str, Array]], kept: list[str]) -> None:
    """Weights by channel; embeddings and everything else stay as they are."""
    from onnxruntime import quantization

    whole = file.with_name(f".{file.name}")
    file.rename(whole)
    how: dict[str, Any] = {
        "per_channel": True,
        "weight_type": quantization.QuantType.QInt8,
        "op_types_to_quantize": list(QUANTIZED),
        "nodes_to_exclude": kept,
    }
    if precision == INT8_DYNAMIC:
        quantization.quantize_dynamic(whole, file, **how)
    else:
        quantization.quantize_static(whole, file, _Rows(rows), **how)
    whole.unlink()


class _Rows:
    """What ONNX Runtime's quantizer reads, one row after the other."""

    def __init__(self, rows: Sequence[dict[str, Array]]) -> None:
        self.rows = iter(rows)

    def get_next(self) -> dict[str, Array] | None:
        return next(self.rows, None)
