from kfp import dsl
from seaway.kfp import component


@component
def train_keras(
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    links: dsl.Output[dsl.Markdown],
    network: str,
    params: dict = {},  # noqa: B006
    workers: int = 1,
    seed: int = 0,
    timeout_s: float = 3600.0,
    placement: dict = {},  # noqa: B006
    backend: str = "auto",
    track_as: str = "",
):
    """Train a network of Keras 3, on torch, across processes; it is packaged and served as any other model.

    Args:
        train: Parquet rows that are learned from; made by `get_training_examples`.
        validation: Parquet rows that early stopping looks at.
        model: Exported graph with preprocessing inside, weights, signature, metrics, history, TensorBoard events.
        metrics: Final figures, of the epoch with the lowest validation loss.
        links: To the run in the experiment tracker.
        network: Python file with a function `network(columns, categories, outputs)`, see docs/reference/training.md.
        params: Columns, task and optimisation, as `train_pytorch` takes them.
        workers: Processes, or pods on a cluster; each takes one accelerator where there is one.
        seed: Of initial weights and of the order of rows.
        timeout_s: Seconds after which the training is ended as failed.
        placement: How pods run (image, memory, gpus, node_selector ...), see docs/reference/training.md; for a cluster.
        backend: Trainer: `torchrun`, `slurm`, `ray`, `trainjob`, `pytorchjob` or `rayjob`; `auto` takes this place's.
        track_as: Name of the run in the experiment tracker that gets figures and curves; empty leaves it untracked.

    Raises:
        DataUnreadable: a data file is missing or empty.
        InvalidSpec: an argument is out of range, or the file does not exist.
        TrainingFailed: with the last lines of the failing rank's log.
        RegistryUnavailable: the experiment tracker does not answer; tried again, the finished training is reused.
    """
    from pathlib import Path

    from seaway.platforms import trained
    from seaway.platforms.home import home
    from seaway.training import TrainSpec

    spec = TrainSpec(
        train=Path(train.path),
        validation=Path(validation.path),
        output=Path(model.path),
        checkpoints=home() / "checkpoints",
        entrypoint="seaway.training.keras",
        params={**params, "network": network},
        workers=workers,
        seed=seed,
        timeout_s=timeout_s,
        placement=placement,
    )
    trained.train(spec, backend, train, model, metrics, links, track_as)
