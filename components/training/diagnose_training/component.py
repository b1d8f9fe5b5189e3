from kfp import dsl
from seaway.kfp import component


@component
def diagnose_training(
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
    diagnosis: dsl.Output[dsl.Artifact],
    entrypoint: str = "seaway.training.tabular",
    params: dict = {},  # noqa: B006
    seed: int = 0,
    stop: bool = False,
) -> str:
    """Find what is wrong with a training before, or after, it is run: its data, its loss, its network, its rate.

    Args:
        train: Parquet rows that are learned from.
        validation: Parquet rows that early stopping looks at.
        page: The likely fault first, with what to do, and all that was measured.
        diagnosis: `diagnosis.json`: faults and figures.
        entrypoint: As in `train_pytorch`; one of your own has a function `subject(spec)`.
        params: As in `train_pytorch`.
        seed: As in `train_pytorch`.
        stop: Whether a fault fails this step, and so the run.

    Returns:
        The likeliest fault, and how many more there are.

    Raises:
        TrainingUnsound: a fault was found, and `stop` is set.
        DataUnreadable: a data file is missing or empty.
        InvalidSpec: a param is out of range, or the entrypoint does not say what it trains.
    """
    from pathlib import Path

    from seaway.storage import write_json
    from seaway.training import TrainSpec

    unused = Path(diagnosis.path) / "unused"  # nothing is trained
    spec = TrainSpec(
        Path(train.path), Path(validation.path), unused, unused, entrypoint=entrypoint, params=params, seed=seed
    )
    from seaway.diagnosis import diagnose, require_sound, subject_of, write_page

    found = diagnose(subject_of(spec), seed)
    Path(diagnosis.path).mkdir(parents=True, exist_ok=True)
    write_json(Path(diagnosis.path) / "diagnosis.json", found.to_json())
    page.metadata["summary"] = write_page(found, Path(page.path))
    if stop:
        require_sound(found)
    return found.summary
