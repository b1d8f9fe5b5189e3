from typing import NamedTuple

from kfp import dsl
from seaway.kfp import component


@component
def tune_model(
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    study: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
    links: dsl.Output[dsl.Markdown],
    space: dict,
    params: dict = {},  # noqa: B006 - KFP takes the default from the source text
    entrypoint: str = "seaway.training.tabular",
    objectives: list = [{"metric": "validation_loss", "goal": "minimize"}],  # noqa: B006
    constraints: list = [],  # noqa: B006
    algorithm: str = "asha",
    settings: dict = {},  # noqa: B006
    trials: int = 20,
    seconds: float = 0.0,
    epochs: int = 0,
    max_failed: int = 3,
    parallel: int = 2,
    rows_fraction: float = 1.0,
    warm_start: dsl.Input[dsl.Artifact] = None,
    seed: int = 0,
    trial_workers: int = 1,
    placement: dict = {},  # noqa: B006
    passthrough: dict = {},  # noqa: B006
    backend: str = "auto",
    track_as: str = "",
) -> NamedTuple("Tuned", [("params", dict)]):
    """Find the parameters of a training: trials in parallel, those that lag behind ended early, a kill survived.

    Args:
        train: Parquet rows that trials learn from; made by `get_training_examples`.
        validation: Parquet rows that they are compared on.
        study: Folder with `study.json`, `trials.parquet` (a row a trial) and `tuning.html`.
        report: History, parallel coordinates, curves, importances and, of several objectives, the Pareto front.
        metrics: The best trial's figures, and how many trials and epochs it took.
        links: To the study's run in the experiment tracker, with its trials below it.
        space: Parameters by name: `{"type": "float", "low", "high", "log", "step"}`, `int` alike, or
            `{"type": "categorical", "choices"}`; a dotted name reaches into nested params.
        params: What every trial is trained with where the space says nothing else, `epochs` among it.
        entrypoint: Module with a training main, as in `train_pytorch`.
        objectives: Figures that are sought: `{"metric", "goal": "maximize" or "minimize"}`; several give a front.
        constraints: Bounds that the best has to keep: `{"metric", "at_most", "at_least"}`.
        algorithm: `grid random tpe bayes cmaes nsga2 sobol hyperband asha median pbt`.
        settings: Of the algorithm, over its defaults.
        trials: Trials that are started; 0 hands the params on as they are.
        seconds: After so many the study ends; 0 for no bound.
        epochs: After so many, summed over all trials, the study ends; 0 for no bound.
        max_failed: Failed trials that are put up with.
        parallel: Trials at a time.
        rows_fraction: Below 1, points are looked for on so many of the rows, and the best are trained again on all.
        warm_start: An earlier study over the same parameters to learn from.
        seed: Of the choice of points and of every training.
        trial_workers: Processes of each trial; one, unless asked, because trials share the machine.
        placement: How pods run, as in `train_pytorch`; for a cluster.
        passthrough: What only one backend knows, such as Katib's `nasConfig` and `resumePolicy`.
        backend: Tuner: `optuna`, `slurm` or `katib`; `auto` takes this place's.
        track_as: Name of the study in the experiment tracker, its trials as nested runs; empty leaves it untracked.

    Returns:
        params: The params with those of the best trial, for `train_pytorch` and `package_model`.

    Raises:
        DataUnreadable: a data file is missing or empty.
        InvalidSpec: an argument is out of range, or the backend cannot carry out what is asked; it names the one that
            can.
        TuningFailed: too many trials failed, or none ended well; with the reason of the last failure.
        RegistryUnavailable: the experiment tracker does not answer; tried again, the finished study is reused.
    """
    from pathlib import Path

    from seaway import models, platforms, tuning
    from seaway.platforms.home import home
    from seaway.reporting import write_links
    from seaway.training import TrainSpec

    spec = tuning.TuneSpec(
        training=TrainSpec(
            train=Path(train.path),
            validation=Path(validation.path),
            output=Path(study.path),
            checkpoints=home() / "checkpoints",
            entrypoint=entrypoint,
            params=params,
            seed=seed,
            placement=placement,
        ),
        space=tuning.SearchSpace.parse(space),
        objectives=[tuning.Objective.parse(one) for one in objectives],
        algorithm=tuning.Algorithm(algorithm, settings),
        budget=tuning.Budget(trials, seconds or None, epochs or None, max_failed),
        output=Path(study.path),
        parallel=parallel,
        seed=seed,
        constraints=[tuning.Constraint.parse(one) for one in constraints],
        rows_fraction=rows_fraction,
        warm_start=Path(warm_start.path) if warm_start else None,
        trial_workers=trial_workers,
        passthrough=passthrough,
    )
    result = platforms.current(tuning.Tuner, backend).tune(spec)
    page = ""
    if track_as and result.trials:
        tracker = platforms.current(models.ModelRegistry)
        page = tracker.run_page(tracker.log_study(track_as, result))
    write_links(Path(links.path), {"The study and its trials": page}, result.summary)
    for name, value in result.figures.items():
        metrics.log_metric(name, value)
    Path(report.path).write_bytes((Path(study.path) / "tuning.html").read_bytes())
    study.metadata["summary"] = result.summary
    return (result.params,)
