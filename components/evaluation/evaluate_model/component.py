from kfp import dsl
from seaway.kfp import component


@component
def evaluate_model(
    model: dsl.Input[dsl.Model],
    baseline: dsl.Input[dsl.Model],
    production: dsl.Input[dsl.Model],
    train: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    evaluation: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    classification: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
    slices: list = [],  # noqa: B006 - KFP takes the default from the source text
    gate: dict = {},  # noqa: B006
    label: str = "late",
    group: str = "carrier",
):
    """Measure a binary classifier on held-out rows, with intervals, against two baselines and production.

    The gate's outcome is recorded, not enforced: `check_gate` fails the run, so that the report is written first.

    Args:
        model: Exported model to measure.
        baseline: Exported simpler model on the same features, named `logistic_regression` in the gate.
        production: Package of the model in production, named `production` in the gate.
        train: Training rows; each group's historic rate, named `<group>_rate`, is the simplest baseline.
        test: Held-out rows.
        evaluation: Folder with `evaluation.json` (every figure) and `evaluation.html`.
        metrics: ROC AUC, PR AUC, log loss, Brier score and calibration error.
        classification: ROC curve and confusion matrix at a threshold of 0.5.
        report: The page of the evaluation.
        slices: Columns to break the ROC AUC down by; month, weekday and hour come from `event_timestamp`.
        gate: Rules and bounds, such as {"min_roc_auc": 0.65, "not_worse_than:production": 0.01}.
        label: Column with the true class, 0 or 1.
        group: Column whose historic rate is the simplest baseline.

    Raises:
        InvalidSpec: the gate has an unknown rule, or a slice column does not exist.
        DataUnreadable: rows, a column or a class are missing, or a model answers no probabilities.
    """
    from pathlib import Path
    from shutil import copyfile

    from seaway.evaluation import Gate, evaluate

    result = evaluate(
        Path(model.path),
        Path(test.path),
        Path(train.path),
        Path(evaluation.path),
        baselines={"logistic_regression": Path(baseline.path)},
        production=Path(production.path),
        gate=Gate(gate),
        slices=slices,
        label=label,
        group=group,
    )
    copyfile(result.path / "evaluation.html", report.path)
    for name, value in result.metrics.items():
        metrics.log_metric(name, value)
    classification.log_roc_curve(*result.roc)
    classification.log_confusion_matrix([f"not {label}", label], result.confusion)
    evaluation.metadata["summary"] = result.summary
