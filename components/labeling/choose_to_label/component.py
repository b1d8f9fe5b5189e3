from kfp import dsl
from seaway.kfp import component


@component
def choose_to_label(
    pool: dsl.Input[dsl.Dataset],
    chosen: dsl.Output[dsl.Dataset],
    key: str,
    count: int = 100,
    strategy: str = "entropy",
    random_share: float = 0.1,
    embedding: list = [],  # noqa: B006 - KFP takes the default from the source text
    seed: int = 0,
    model: dsl.Input[dsl.Model] = None,
    predictions: dsl.Input[dsl.Dataset] = None,
    labelled: dsl.Input[dsl.Dataset] = None,
):
    """Choose the rows that people are asked about: those that teach a model most, and a share at random.

    Args:
        pool: Rows without a label: a Parquet file, or a folder of them.
        chosen: The chosen rows, one Parquet file, with `chosen_by`, and `predicted_label` and `predicted_score` where a
            model was asked.
        key: Column by which a row is known: text or whole numbers, each once.
        count: Rows, at most.
        strategy: `entropy` or `margin` (undecided), `badge` (undecided and different), `core_set` (different) or
            `random`.
        random_share: Of the rows, that are chosen at random: a fair sample to judge a model by.
        embedding: Columns of numbers, or lists of them, that say what a row is like; for `badge` and `core_set`.
        seed: Of all that is drawn.
        model: Package or trained model that `predictions` are of.
        predictions: Made by `predict_batch` of the pool.
        labelled: Rows with the same key that have labels, and are not chosen again.

    Raises:
        DataUnreadable: rows, a key or a column are missing, the predictions are not of these rows, or all have labels.
        InvalidSpec: the strategy does not exist, or lacks what it goes by.
    """
    from pathlib import Path

    from seaway.data.origin import carry
    from seaway.labeling.pool import Choice, choose_rows

    paths = {
        name: Path(artifact.path) if artifact else None
        for name, artifact in (("model", model), ("predictions", predictions), ("labelled", labelled))
    }
    choice = Choice(count, key, strategy, random_share, embedding, seed)
    carry([pool.metadata], [chosen.metadata])
    chosen.metadata["summary"] = choose_rows(Path(pool.path), choice, Path(chosen.path), **paths)
