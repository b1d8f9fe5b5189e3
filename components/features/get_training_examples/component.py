from kfp import dsl
from seaway.kfp import component


@component
def get_training_examples(
    repository: dsl.Input[dsl.Artifact],
    tables: dsl.Input[dsl.Dataset],
    train: dsl.Output[dsl.Dataset],
    validation: dsl.Output[dsl.Dataset],
    test: dsl.Output[dsl.Dataset],
    replay: dsl.Output[dsl.Dataset],
    train_fraction: float = 0.6,
    validation_fraction: float = 0.15,
    test_fraction: float = 0.15,
    replay_fraction: float = 0.1,
):
    """Join rows with their features as they stood at each row's time, and split them by time.

    Args:
        repository: Made by `build_features`.
        tables: Made by `ingest_tables`.
        train: The earliest examples, one Parquet file in time order.
        validation: Later examples, for early stopping and the choice of settings.
        test: Later examples, for the evaluation.
        replay: The latest examples, for the rollout's requests.
        train_fraction: Share of the examples in `train`; the four shares sum to 1.
        validation_fraction: Share of the examples in `validation`.
        test_fraction: Share of the examples in `test`.
        replay_fraction: Share of the examples in `replay`.

    Raises:
        InvalidSpec: the shares do not sum to 1.
        DataUnreadable: a table, a column or a label is missing, or a split would be empty.
        FeaturesUnavailable: Feast cannot give a feature.
    """
    from pathlib import Path

    from seaway.data.origin import carry
    from seaway.features import SplitSpec, training_examples

    outputs = {"train": train, "validation": validation, "test": test, "replay": replay}
    spec = SplitSpec(train_fraction, validation_fraction, test_fraction, replay_fraction)
    files = {name: Path(artifact.path) for name, artifact in outputs.items()}
    counts = training_examples(Path(repository.path), Path(tables.path), spec, files)
    for name, artifact in outputs.items():
        artifact.metadata.update(counts.metadata(name))
    carry([tables.metadata], [artifact.metadata for artifact in outputs.values()])
    train.metadata["summary"] = counts.summary
