"""OpenVINO's intermediate representation: Intel's processors, and those of Arm."""

import logging
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from seaway.edge.port import FLOAT32, INT8_STATIC, INT8_WEIGHTS, Recipe
from seaway.errors import InvalidSpec

LAYERS = ("MatMul", "Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData")

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph


class OpenVino:
    """See `seaway.edge.EdgeTarget`."""

    name = "openvino"
    title = "OpenVINO"
    files = ("model.xml", "model.bin")
    converts = ("openvino", "torch")
    runtime = "openvino"
    minimum = MappingProxyType({"linux": "glibc 2.28", "macos": "12", "windows": "10"})
    systems = ("linux", "darwin", "win32")
    runner = "openvino"
    reads = "OpenVINO on processors of Intel and Arm"

    precisions = (FLOAT32, INT8_STATIC, INT8_WEIGHTS)

    def convert(self, graph: "EdgeGraph", folder: Path, recipe: Recipe) -> None:
        """Weights stay float32 unless told otherwise: halving them is a choice, which is measured as any other."""
        _without_telemetry()
        import openvino

        made = openvino.convert_model(graph.program)
        # a plan for sizes that are known is quicker
        made.reshape({place: list(one.shape) for place, one in enumerate(graph.inputs)})
        for place, one in enumerate(graph.inputs):
            made.input(place).get_tensor().set_names({one.name})
        for place, name in enumerate(graph.outputs):
            made.output(place).get_tensor().set_names({name})
        openvino.save_model(_quantized(made, graph, recipe), folder / self.files[0], compress_to_fp16=False)


def _quantized(made: Any, graph: "EdgeGraph", recipe: Recipe) -> Any:
    """By NNCF, by channel; values within from the least to the greatest seen, not the rows' means, which saturate."""
    if recipe.precision == FLOAT32:
        return made
    import nncf
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    logging.getLogger("nncf").setLevel(logging.ERROR)
    kept = nncf.IgnoredScope(names=_operations(made, graph, recipe.kept))
    if recipe.precision == INT8_WEIGHTS:
        return nncf.compress_weights(made, ignored_scope=kept)
    rows = nncf.Dataset([tuple(row) for row in recipe.calibration])
    ranges = nncf.AdvancedQuantizationParameters(activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX)
    return nncf.quantize(
        made, rows, preset=nncf.QuantizationPreset.MIXED, subset_size=len(recipe.calibration), ignored_scope=kept,
        advanced_parameters=ranges,
    )  # fmt: skip


def _operations(made: Any, graph: "EdgeGraph", kept: frozenset[str]) -> list[str]:
    """The operations of those layers. Raises: InvalidSpec: there is no such layer.

    OpenVINO folds what follows a layer into it, under a name of its own; so layers are told by the size of their
    weights, and those of one size by their order.
    """
    from seaway.edge.layers import sizes

    by_size: dict[int, list[str]] = {}
    for operation in made.get_ordered_ops():
        if operation.get_type_name() in LAYERS and (size := _weight_size(operation)):
            by_size.setdefault(size, []).append(operation.get_friendly_name())
    wanted = sizes(graph)
    if missing := sorted(kept - set(wanted)):
        raise InvalidSpec(f"The model has no layer {', '.join(missing)}; it has {', '.join(wanted)}.")
    named = {name: by_size[size].pop(0) for name, size in wanted.items() if by_size.get(size)}
    if missing := sorted(kept - set(named)):
        raise InvalidSpec(f"OpenVINO has no operation for the layer {', '.join(missing)}, so it cannot be kept.")
    return [named[name] for name in sorted(kept)]


def _weight_size(operation: Any) -> int:
    """Numbers of the constant that an operation computes with; 0 where it has none."""
    import math

    found = operation.input(1).get_source_output().get_node()
    while found.get_type_name() in ("Convert", "Reshape", "Transpose", "Multiply"):
        found = found.input(0).get_source_output().get_node()
    return math.prod(found.get_output_shape(0)) if found.get_type_name() == "Constant" else 0


def _without_telemetry() -> None:
    """Neither OpenVINO nor NNCF asks its makers' server, nor makes a folder for it; both do without the package."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
