from kfp import dsl
from seaway.kfp import component


@component
def evaluate_model(
    model: dsl.Input[dsl.Model],
    train: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    evaluation: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    classification: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
    slices: list = [],  # noqa: B006 - KFP takes the default from the source text
    gate: dict = {},  # noqa: B006
    label: str = "",
    task: str = "",
    group: str = "",
    baseline_name: str = "baseline",
    baseline: dsl.Input[dsl.Model] = None,
    production: dsl.Input[dsl.Model] = None,
):
    """Measure a model on held-out rows, with intervals, against baselines and production where there are any.

    The gate's outcome is recorded, not enforced: `check_gate` fails the run, so that the report is written first.

    Args:
        model: Exported model to measure.
        train: Training rows, which give the simplest baseline.
        test: Held-out rows.
        evaluation: Folder with `evaluation.json` (every figure) and `evaluation.html`.
        metrics: The figures of the model's task; docs/reference/tasks.md lists them.
        classification: ROC curve and confusion matrix, where the task has them.
        report: The page of the evaluation.
        slices: Columns to break the task's first figure down by; month, weekday and hour come from `event_timestamp`.
        gate: Rules and bounds, such as {"min_roc_auc": 0.65, "not_worse_than:production": 0.01}.
        label: Column with the truth; empty takes what the model's signature says.
        task: What is predicted, such as `binary` or `regression`; empty takes what the model's signature says.
        group: Column whose historic rate (of numbers, mean) is the simplest baseline, named `<group>_rate` or
            `<group>_mean` in the gate; empty takes that of all training rows, named `rate` or `mean`.
        baseline_name: The baseline's name in the gate.
        baseline: Exported simpler model on the same features.
        production: Package of the model in production, named `production` in the gate.

    Raises:
        InvalidSpec: the gate has a rule that the task does not know, a slice column does not exist, or nobody says what
            the model predicts.
        DataUnreadable: rows, a column or a class are missing, or a model answers something else than its task asks.
    """
    from pathlib import Path
    from shutil import copyfile

    from seaway.data.origin import carry
    from seaway.evaluation import Gate, evaluate

    result = evaluate(
        Path(model.path),
        Path(test.path),
        Path(train.path),
        Path(evaluation.path),
        baselines={baseline_name: Path(baseline.path)} if baseline else {},
        production=Path(production.path) if production else None,
        gate=Gate(gate),
        slices=slices,
        label=label,
        task=task,
        group=group,
    )
    copyfile(result.path / "evaluation.html", report.path)
    for name, value in result.metrics.items():
        metrics.log_metric(name, value)
    if result.roc:
        classification.log_roc_curve(*result.roc)
    if result.confusion:
        classification.log_confusion_matrix(*result.confusion)
    carry([train.metadata], [evaluation.metadata])
    evaluation.metadata["summary"] = result.summary
