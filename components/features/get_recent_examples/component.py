from kfp import dsl
from seaway.kfp import component


@component
def get_recent_examples(
    tables: dsl.Input[dsl.Dataset],
    examples: dsl.Output[dsl.Dataset],
    repository: dsl.Input[dsl.Artifact] = None,
    since: str = "",
    table: str = "",
    label: str = "",
    numeric: list = [],  # noqa: B006 - KFP takes the default from the source text
    categorical: list = [],  # noqa: B006
    images: list = [],  # noqa: B006
    texts: list = [],  # noqa: B006
    keep: list = [],  # noqa: B006
    time: str = "",
):
    """Make examples to watch a model by, in one file: all rows, whether their label is known yet or not.

    With a repository its feature project says all; without one the columns are named here, as for `split_table`.

    Args:
        tables: Made by `ingest_tables`.
        examples: The recent rows, for `monitor_drift` and `check_skew`.
        repository: Made by `build_features`, where features are looked up for each row.
        since: Rows from this time on, such as 2024-03-30; earlier ones are no more than their history. Empty takes all.
        table: The table that the rows come from.
        label: Column of what is predicted; it may be missing in any row.
        numeric: Inputs that are numbers.
        categorical: Inputs that are categories, named by text.
        images: Inputs that are pictures: the bytes of files, or their URIs.
        texts: Inputs that are written for people.
        keep: Further columns, for identity.
        time: Column of when a row happened; empty where there is none.

    Raises:
        InvalidSpec: there are no inputs, or `since` is no time.
        DataUnreadable: a column or a row's time is missing, or there are no rows.
        FeaturesUnavailable: Feast cannot give a feature.
    """
    from pathlib import Path

    from seaway.features import PlainSpec, recent_examples, recent_rows

    source, target = Path(tables.path), Path(examples.path)
    if repository:
        found = recent_examples(Path(repository.path), source, target, since)
    else:
        spec = PlainSpec(label, "", numeric, categorical, keep, time, 0, images, texts)
        found = recent_rows(source / f"{table}.parquet", spec, target, since)
    examples.metadata["rows"], examples.metadata["summary"] = found.rows, found.summary
