from kfp import dsl
from seaway.kfp import component


@component
def distil_model(
    teacher: dsl.Input[dsl.Model],
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    links: dsl.Output[dsl.Markdown],
    entrypoint: str = "seaway.training.tabular",
    params: dict = {},  # noqa: B006
    temperature: float = 2.0,
    soft: float = 0.7,
    hidden: float = 0.0,
    workers: int = 1,
    seed: int = 0,
    timeout_s: float = 3600.0,
    placement: dict = {},  # noqa: B006
    backend: str = "auto",
    track_as: str = "",
):
    """Train a smaller model on what a larger one answers: its soft targets, and its embedding where there is one.

    Args:
        teacher: Package, or trained model, whose label and task the student shares.
        train: Training rows, with every input of the teacher.
        validation: Rows that early stopping looks at, by their labels alone.
        model: The student, as `train_pytorch` writes a model.
        metrics: Final figures, of the epoch with the lowest validation loss.
        links: To the run in the experiment tracker.
        entrypoint: Bundled trainer of the student: `seaway.training.tabular`, `.vision` or `.text`.
        params: What the trainer wants to know, such as {"encoder": "package:my_encoder", "layers": [0, 5]}; label, task
            and classes are the teacher's.
        temperature: That both models' outputs are divided by; above 1 the teacher's wrong answers tell more.
        soft: Share of the loss that is the teacher's, 0 to 1; the labels have the rest.
        hidden: Weight of the distance of the two models' embeddings; 0 leaves them out.
        workers: Processes, or pods on a cluster.
        seed: Of initial weights and of the order of rows.
        timeout_s: Seconds after which the training is ended as failed.
        placement: How pods run, see docs/reference/training.md; for a cluster.
        backend: Trainer, as `train_pytorch` has it.
        track_as: Name of the run in the experiment tracker; empty leaves it untracked.

    Raises:
        InvalidSpec: teacher and student do not predict the same, or a weight is out of range.
        DataUnreadable: rows lack an input of the teacher or of the student.
        TrainingFailed: with the last lines of the failing rank's log.
        RegistryUnavailable: the experiment tracker does not answer.
    """
    import tempfile
    from pathlib import Path

    from seaway import models
    from seaway.edge import student_params, write_taught
    from seaway.platforms import trained
    from seaway.platforms.home import home
    from seaway.training import TrainSpec

    told = {"temperature": temperature, "soft": soft, "hidden": hidden}
    taught = student_params(models.Signature.read(Path(teacher.path)), params, told)
    with tempfile.TemporaryDirectory(prefix="seaway-taught-") as folder:
        rows = Path(folder) / "train.parquet"
        write_taught(Path(teacher.path), Path(train.path), rows, hidden > 0)
        spec = TrainSpec(
            train=rows,
            validation=Path(validation.path),
            output=Path(model.path),
            checkpoints=home() / "checkpoints",
            entrypoint=entrypoint,
            params=taught,
            workers=workers,
            seed=seed,
            timeout_s=timeout_s,
            placement=placement,
        )
        trained.train(spec, backend, train, model, metrics, links, track_as)
