from kfp import dsl
from seaway.kfp import component


@component
def prune_model(
    model: dsl.Input[dsl.Model],
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    pruned: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    kind: str = "structured",
    share: float = 0.5,
    epochs: int = 5,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    seed: int = 0,
):
    """Leave the weights out of a model that matter least, and train what is left by what the model answered before.

    Args:
        model: Package, or trained model, of a graph of torch.export whose signature says a task.
        train: Training rows with the label.
        validation: Rows that early stopping looks at.
        pruned: The files of a trained model, which `package_model` takes.
        metrics: Weights before and after, layers, and the figures of the best epoch.
        kind: `structured`, whole channels, which makes it smaller and quicker anywhere; or `2:4`, two of every four
            neighbouring weights zero, the form that tensor cores compute at twice the rate.
        share: Of each layer's channels that is left out, where it is structured.
        epochs: Passes over the training rows afterwards, at most.
        batch_size: Rows a step.
        learning_rate: Peak of the one-cycle schedule.
        seed: Of the order of rows.

    Raises:
        InvalidSpec: nothing can be left out, the model is of another flavour, or an argument is out of range.
        DataUnreadable: rows lack an input or the label.
        TrainingFailed: the loss is no number any more.
    """
    from pathlib import Path

    from seaway import models

    target = models.Signature.read(Path(model.path)).target

    from seaway.edge.finetuning import TuneParams
    from seaway.edge.pruning import prune_model as prune

    params = TuneParams(
        label=target.label if target else "none", epochs=epochs, batch_size=batch_size, learning_rate=learning_rate
    )
    found = prune(
        Path(model.path), Path(train.path), Path(validation.path), Path(pruned.path), params, kind=kind, share=share,
        seed=seed,
    )  # fmt: skip
    for name, value in found.metrics.items():
        metrics.log_metric(name, value)
    pruned.metadata["summary"] = found.summary
