from kfp import dsl
from seaway.kfp import component


@component
def synthesize_examples(
    train: dsl.Input[dsl.Dataset],
    held_out: dsl.Input[dsl.Dataset],
    examples: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
    label: str,
    rows: dict,
    numeric: list = [],  # noqa: B006 - KFP takes the default from the source text
    categorical: list = [],  # noqa: B006
    gate: dict = {},  # noqa: B006
    seed: int = 0,
):
    """Put synthetic rows behind training examples, for classes that are rare, if they pass their gate.

    By a Gaussian copula of each class. Only training rows are learnt from, and only they get company.

    Args:
        train: Training examples.
        held_out: Real examples of validation, which the made rows are held against.
        examples: The training examples and the made ones, which the column `synthetic` tells.
        metrics: `shapes` and `pairs` (likeness), `closer` and `copies` (privacy), `loss` (accuracy of a linear model).
        label: Column of the class.
        rows: How many are made, by class, such as {"churned": 500}.
        numeric: Inputs that are numbers.
        categorical: Inputs that are categories.
        gate: Bounds; unless said otherwise {"min_shapes": 0.85, "min_pairs": 0.75, "max_closer": 0.6, "max_copies":
            0.05, "max_loss": 0.1}.
        seed: Of all that is drawn.

    Raises:
        DataUnreadable: a column is missing, or a class has too few rows.
        GateClosed: names each bound that the made rows miss; nothing is written.
        InvalidSpec: there is nothing to make, or a bound is unknown.
    """
    from pathlib import Path

    from seaway.data.origin import carry
    from seaway.data.synthetic import Wanted, synthesize

    wanted = Wanted(label, numeric, categorical, {name: int(count) for name, count in rows.items()}, gate, seed)
    found = synthesize(Path(train.path), Path(held_out.path), wanted, Path(examples.path))
    for name, value in found.to_json().items():
        metrics.log_metric(name, value)
    carry([train.metadata], [examples.metadata])
    examples.metadata["summary"] = f"{sum(wanted.rows.values()):,} synthetic rows, {found.shapes:.0%} alike"
