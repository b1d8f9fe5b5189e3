"""Weights of a model in ONNX as int8 with a scale a channel; the runtime makes floats of them as it loads the model."""

from typing import Any

import numpy as np

from seaway.models.signature import Array

SMALLEST = 256  # numbers of a weight that is worth a scale
LARGEST = 127.0


def compress_weights(model: Any, kept: list[str]) -> None:
    """Change `model`, an `onnx.ModelProto`: what layers and look-ups read, but for those nodes that are `kept`.

    The largest weight of a channel is 127; what is rounded away is at most half of the channel's scale.
    """
    from onnx import numpy_helper

    held = {tensor.name: tensor for tensor in model.graph.initializer}
    made: dict[str, int] = {}
    for node in model.graph.node:
        place, axis = _weight(node)
        if place is None or node.name in kept or (tensor := held.get(node.input[place])) is None:
            continue
        weight = numpy_helper.to_array(tensor)
        if tensor.name not in made and weight.dtype == np.float32 and weight.size >= SMALLEST:
            made[tensor.name] = axis % weight.ndim
    for name, axis in made.items():
        _replace(model, held[name], axis)


def _weight(node: Any) -> tuple[int | None, int]:
    """Which input is the weight, and along which axis its channels lie."""
    if node.op_type == "Gemm":
        turned = any(one.name == "transB" and one.i for one in node.attribute)
        return 1, 0 if turned else 1
    return {"Conv": (1, 0), "MatMul": (1, -1), "Gather": (0, 0)}.get(node.op_type, (None, 0))


def _replace(model: Any, tensor: Any, axis: int) -> None:
    from onnx import helper, numpy_helper

    name = tensor.name
    whole, scale = _rounded(numpy_helper.to_array(tensor), axis)
    model.graph.initializer.remove(tensor)
    model.graph.initializer.extend(
        [numpy_helper.from_array(whole, f"{name}_int8"), numpy_helper.from_array(scale, f"{name}_scale")]
    )
    parts = [f"{name}_int8", f"{name}_scale"]
    model.graph.node.insert(0, helper.make_node("DequantizeLinear", parts, [name], f"{name}_floats", axis=axis))


def _rounded(weight: Array, axis: int) -> tuple[Array, Array]:
    others = tuple(place for place in range(weight.ndim) if place != axis)
    largest = np.abs(weight).max(axis=others, keepdims=True)
    scale = np.where(largest > 0, largest / LARGEST, 1.0).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale.reshape(-1)
