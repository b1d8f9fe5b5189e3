from typing import NamedTuple

from kfp import dsl
from seaway.kfp import component


@component
def monitor_drift(
    current: dsl.Input[dsl.Dataset],
    check: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    evidently: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    links: dsl.Output[dsl.Markdown],
    model_name: str,
    level: float = 0.05,
    effect: float = 0.1,
    share: float = 0.2,
    label: str = "",
    task: str = "",
    quality_margin: float = 0.05,
    registry: str = "auto",
) -> NamedTuple("Outputs", [("alarm", bool), ("version", str)]):
    """Compare recent examples with the training rows of the model in production, and its answers with their labels.

    Inputs and predictions have drifted where they differ by more than chance, with rows of one day not taken for
    independent and many columns not taken for one, and by more than a trifle. An alarm does not fail this step.

    Args:
        current: Recent examples, made by `get_training_examples`.
        check: Folder with `check.json` (every figure), `drift.json`, `drift.html`, `evidently.html`
            and `evidently.json`, which Evidently's own workspaces take.
        report: What has drifted and how the model predicts, by column, with the distributions of the farthest.
        evidently: Evidently's page, to be opened by itself: it is large, and runs scripts.
        metrics: Share of drifted columns, and the figures of quality.
        links: To the check's run in the experiment tracker, and to the version in the registry.
        model_name: Registered model's name; its lineage names the training rows.
        level: Chance, over all columns together, that one counts as drifted where nothing has changed.
        effect: Least distance that matters, in standard deviations (numbers) or as Jensen-Shannon's (categories).
        share: Of the columns, drifted ones from which on there is an alarm; drifted predictions raise one alone.
        label: Column with the truth, null while it is not known; empty takes what the model's signature says.
        task: What is predicted; empty takes what the model's signature says.
        quality_margin: Least loss of quality that matters, as a share of the figure when the model was tested.
        registry: Model registry; `auto` takes this place's.

    Returns:
        alarm: Whether inputs or predictions have drifted.
        version: The version in production.

    Raises:
        RegistryUnavailable: no version is in production.
        DataUnreadable: the training rows are no longer kept, or a column is missing.
    """
    from pathlib import Path
    from shutil import copyfile

    from seaway import models, monitoring, platforms
    from seaway.monitoring import export
    from seaway.platforms.home import figures_folder, references
    from seaway.reporting import write_links

    tracker = platforms.current(models.ModelRegistry, registry)
    model = monitoring.in_production(tracker, model_name)
    settings = {
        "level": level,
        "effect": effect,
        "share": share,
        "label": label,
        "task": task,
        "margin": quality_margin,
    }
    found = monitoring.check(model, Path(current.path), Path(check.path), references(), **settings)
    copyfile(Path(check.path) / "drift.html", report.path)
    copyfile(Path(check.path) / "evidently.html", evidently.path)
    figures = export.publish(model_name, "drift", found.samples, figures_folder())
    run = tracker.log_check(f"check {model_name}", model.version, figures, Path(check.path))
    addresses = {
        "This check's run": tracker.run_page(run),
        f"{model_name} version {model.version}": tracker.version_page(model_name, model.version),
    }
    write_links(Path(links.path), addresses, found.summary)
    for name, value in found.figures.items():
        metrics.log_metric(name, value)
    check.metadata["summary"] = found.summary
    return (found.drift.alarm, model.version)
