from kfp import dsl
from seaway.kfp import component


@component
def quantize_model(
    model: dsl.Input[dsl.Model],
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    package: dsl.Output[dsl.Model],
    tuned: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    target: str = "onnxruntime",
    precision: str = "int8-static",
    gate: dict = {"max_loss": 0.01},  # noqa: B006
    limit: int = 1000,
    qat_epochs: int = 0,
    learning_rate: float = 1e-4,
    seed: int = 0,
):
    """Convert a model in eight bits for devices, with as few layers left in float32 as a bound on what is lost asks.

    Args:
        model: Package, or trained model, of a graph of torch.export.
        train: Training rows, which tell the ranges of values, and which layers suffer most.
        validation: Rows that each attempt answers; with the label where `max_loss` is a rule.
        package: Signed folder for devices; its `edge.json` names the layers that stayed in float32.
        tuned: What the package was made of, for `measure_edge`: `model` itself, or as it was trained further.
        metrics: Bytes, layers, those in float32, conversions, and what the answers lost.
        target: `onnxruntime`, `openvino` or `executorch`; docs/reference/edge-targets.md lists them.
        precision: `int8-static`, `int8-dynamic` or `int8-weights`, where the target has it.
        gate: Bounds of `max_loss`, `max_flips` or `max_difference`; docs/reference/edge-targets.md says what they mean.
        limit: At most so many validation rows, the first; 0 for all.
        qat_epochs: Epochs of quantization-aware training before, by torchao; the training rows then need the label.
        learning_rate: Of that training.
        seed: Of the order of its rows.

    Raises:
        GateClosed: the bound is not met with every layer in float32 either.
        ConversionRefused: the target cannot take the model; the message names the operator and what to change.
        InvalidSpec: there is no such target, precision or rule.
        DataUnreadable: rows lack an input, or the label where it is learned from.
        TrainingFailed: the loss is no number any more.
    """
    import shutil
    from pathlib import Path

    from seaway import edge, models
    from seaway.platforms.home import keys

    if qat_epochs:
        from seaway.edge.qat import train_for_int8

        train_for_int8(
            Path(model.path), Path(train.path), Path(validation.path), Path(tuned.path), qat_epochs, learning_rate, seed
        )
    else:
        shutil.copytree(Path(model.path), Path(tuned.path))
    found = edge.quantize_model(
        Path(tuned.path), target, Path(package.path), models.signing_keys(keys()).private, Path(train.path),
        Path(validation.path), precision=precision, gate=edge.EdgeGate(gate), limit=limit,
        reference=Path(model.path),
    )  # fmt: skip
    for name, value in found.metrics.items():
        metrics.log_metric(name, value)
    package.metadata["target"] = target
    package.metadata["source"] = found.package.manifest.source
    package.metadata["summary"] = found.summary
