from kfp import dsl
from seaway.kfp import component


@component
def split_table(
    tables: dsl.Input[dsl.Dataset],
    train: dsl.Output[dsl.Dataset],
    validation: dsl.Output[dsl.Dataset],
    test: dsl.Output[dsl.Dataset],
    replay: dsl.Output[dsl.Dataset],
    table: str,
    label: str,
    task: str = "binary",
    numeric: list = [],  # noqa: B006 - KFP takes the default from the source text
    categorical: list = [],  # noqa: B006
    keep: list = [],  # noqa: B006
    time: str = "",
    seed: int = 0,
    train_fraction: float = 0.6,
    validation_fraction: float = 0.15,
    test_fraction: float = 0.15,
    replay_fraction: float = 0.1,
    images: list = [],  # noqa: B006
    texts: list = [],  # noqa: B006
):
    """Make training examples out of one table: chosen columns, checked labels, four splits, by time or at random.

    For data whose features need no look-up; `build_features` and `get_training_examples` are for those that do.

    Args:
        tables: Made by `ingest_tables`.
        train: Examples to learn from.
        validation: Examples for early stopping and the choice of settings.
        test: Examples for the evaluation.
        replay: Examples for the rollout's requests.
        table: The table that they come from.
        label: Column of what is predicted; rows without it are left out.
        task: What it means to predict it: `binary`, `multiclass`, `multilabel`, `regression`, or that of another wheel.
        numeric: Inputs that are numbers.
        categorical: Inputs that are categories, named by text.
        keep: Further columns, for identity and slices.
        time: Column of when a row happened, by which the splits follow each other; empty splits at random.
        seed: Of the order of rows without a time.
        train_fraction: Share of the rows in `train`; the four shares sum to 1.
        validation_fraction: Share of the rows in `validation`.
        test_fraction: Share of the rows in `test`.
        replay_fraction: Share of the rows in `replay`.
        images: Inputs that are pictures: the bytes of files, or their URIs, which are fetched into the examples.
        texts: Inputs that are written for people, not categories.

    Raises:
        InvalidSpec: the shares do not sum to 1, or a column has two roles.
        DataUnreadable: a column or a picture is missing, too few rows have a label, or a label is none of the task.
    """
    from pathlib import Path

    from seaway.data.origin import carry
    from seaway.features import PlainSpec, SplitSpec, plain_examples

    outputs = {"train": train, "validation": validation, "test": test, "replay": replay}
    spec = PlainSpec(label, task, numeric, categorical, keep, time, seed, images, texts)
    splits = SplitSpec(train_fraction, validation_fraction, test_fraction, replay_fraction)
    files = {name: Path(artifact.path) for name, artifact in outputs.items()}
    counts = plain_examples(Path(tables.path) / f"{table}.parquet", spec, splits, files)
    for name, artifact in outputs.items():
        artifact.metadata.update(counts.metadata(name))
    carry([tables.metadata], [artifact.metadata for artifact in outputs.values()])
    train.metadata["summary"] = counts.summary
