from kfp import dsl
from seaway.kfp import component


@component
def compare_edge(
    model: dsl.Input[dsl.Model],
    train: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    packages: dsl.Output[dsl.Model],
    comparison: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    variants: list = [{"target": "onnxruntime"}],  # noqa: B006 - KFP takes the default from the source text
    gate: dict = {"max_flips": 0.002},  # noqa: B006
    slices: list = [],  # noqa: B006
    limit: int = 1000,
    threads: int = 1,
    validation: dsl.Input[dsl.Dataset] = None,
):
    """Convert a model for several targets and precisions, measure each on the same rows, and draw what to choose from.

    Args:
        model: Package, or trained model, of a graph of torch.export.
        train: Training rows, which tell `int8-static` the ranges of values.
        test: Held-out rows; with the label, the task's figure is compared in pairs.
        packages: A signed package for devices a variant, in a folder of its name, such as `openvino-int8-static`.
        comparison: Folder with `evaluation.json`, which `check_gate` takes, and a measurement a variant.
        report: The page: the front of size, latency and quality, then each one's gate and parity.
        variants: Each a `target`, a `precision` where it is not `float32`, a `gate` where it has rules of its own, and
            a `bound` as the `gate` of `quantize_model`, where layers may stay in float32 for it.
        gate: Rules for all, such as {"max_flips": 0.002}; docs/reference/edge-targets.md lists them.
        slices: Columns to look for the slices in that differ most.
        limit: At most so many rows, the first; 0 for all.
        threads: That one answer is computed on.
        validation: Rows by which the layers of variants with a `bound` are chosen.

    Raises:
        ConversionRefused: a target cannot take the model; the message names the operator and what to change.
        InvalidSpec: there is no such target, precision or rule, or a target's runtime does not answer here.
        GateClosed: a variant's `bound` is not met with every layer in float32 either.
        DataUnreadable: rows lack an input.
    """
    from pathlib import Path
    from shutil import copyfile

    from seaway import edge, models
    from seaway.platforms.home import keys

    found = edge.compare_edge(
        Path(model.path), Path(test.path), Path(train.path), Path(packages.path), Path(comparison.path),
        models.signing_keys(keys()).private, [edge.Variant.of(one) for one in variants],
        validation=Path(validation.path) if validation else None,
        gate=edge.EdgeGate(gate), slices=slices, limit=limit, threads=threads,
    )  # fmt: skip
    copyfile(found.path / "edge.html", report.path)
    comparison.metadata["summary"] = found.summary
