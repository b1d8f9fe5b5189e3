from kfp import dsl
from seaway.kfp import component


@component
def export_edge(
    model: dsl.Input[dsl.Model],
    package: dsl.Output[dsl.Model],
    target: str = "onnxruntime",
    precision: str = "float32",
    calibration: dsl.Input[dsl.Dataset] = None,
):
    """Convert a model for devices into a signed package, look-ups of 64-bit hashes rewritten in pairs of 32 bits.

    Args:
        model: Package, or trained model, of a graph of torch.export.
        package: Signed folder for devices; docs/reference/edge-targets.md says what it holds.
        target: `onnxruntime`, `openvino`, `executorch`, `coreml` or `ncnn`; docs/reference/edge-targets.md lists them.
        precision: `float32`, or `int8-static`, `int8-dynamic`, `int8-weights` where the target has it.
        calibration: Training rows, which tell `int8-static` the ranges of values.

    Raises:
        ConversionRefused: the target cannot take the model; the message names the operator and what to change.
        InvalidSpec: there is no such target, its converter is not installed, or it is not made in this precision.
        DataUnreadable: the calibration rows lack an input.
    """
    from pathlib import Path

    from seaway import edge, models
    from seaway.platforms.home import keys

    key = models.signing_keys(keys()).private
    rows = Path(calibration.path) if calibration else None
    made = edge.export_edge(Path(model.path), target, Path(package.path), key, precision, rows)
    package.metadata["target"] = target
    package.metadata["source"] = made.manifest.source
    package.metadata["summary"] = f"{target} {precision}, {made.size / 1e6:.3g} MB, signed"
