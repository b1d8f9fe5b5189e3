"""The second part of the flights pipeline: from examples to a model that is held against its gate."""

from typing import NamedTuple

from kfp import dsl
from seaway_components.evaluation import check_gate, evaluate_model
from seaway_components.models import get_production_model, package_model
from seaway_components.reporting import write_model_report
from seaway_components.training import train_pytorch
from seaway_components.tuning import tune_model
from seaway_examples.flights.schema import FEATURES, UNITS
from seaway_pipelines.flights.steps import WAITS, retried, step

COLUMNS = {**FEATURES, "units": UNITS, "name": "flights"}
# Chosen by validation loss on the whole year.
LINEAR = {"hidden": [], "embedding": 1, "learning_rate": 0.03, "batch_size": 4096, "epochs": 6}
DEEP = {"hidden": [64, 32], "embedding": 4, "learning_rate": 0.003}
SPACE = {
    "learning_rate": {"type": "float", "low": 1e-3, "high": 2e-2, "log": True},
    "hidden": {"type": "categorical", "choices": [[32], [64, 32], [128, 64]]},
    "embedding": {"type": "int", "low": 2, "high": 8},
}
TUNE_S = 20.0  # for the whole year on two cores; on a slower machine fewer trials are looked at


class Trained(NamedTuple):
    network: dsl.Model
    production: dsl.Model
    evaluation: dsl.Artifact
    params: dict
    replaces: str


@dsl.pipeline(name="flights-model", display_name="Model: tuned, trained, and measured against production")
def flights_model(
    described: dsl.Input[dsl.Artifact],
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    epochs: int,
    workers: int,
    tune_trials: int,
    seed: int,
    model_name: str,
    gate: dict,
) -> Trained:
    """Train a logistic regression and a network, and see whether the network beats it and what is in production.

    The gate stops the run in the release, when its page and the model's report are written.
    """
    data = {"train": train, "validation": validation, "seed": seed, "track_as": model_name}
    tuned = tune_model(
        **data,
        space=SPACE,
        params={**COLUMNS, **DEEP, "epochs": epochs},
        objectives=[{"metric": "validation_loss", "goal": "minimize"}],
        trials=tune_trials,
        seconds=TUNE_S,
    )
    deep = step(tuned, "Tune network", WAITS, "2Gi", pod="training").outputs["params"]
    linear = {**COLUMNS, **LINEAR}
    trained_baseline = step(train_pytorch(**data, params=linear), "Train baseline", WAITS, "2Gi", pod="training")
    trained = step(train_pytorch(**data, params=deep, workers=workers), "Train network", WAITS, "2Gi", pod="training")
    baseline, network = trained_baseline.outputs["model"], trained.outputs["model"]

    packed = step(package_model(model=baseline, train=train, parameters=linear, seed=seed), "Package baseline")
    found = get_production_model(fallback=packed.outputs["package"], name=model_name)
    production = step(retried(found), "Get production model", WAITS, cache=False, pod="gate")
    evaluated = evaluate_model(
        model=network,
        baseline=baseline,
        production=production.outputs["package"],
        train=train,
        test=test,
        slices=["carrier", "month"],
        gate=gate,
        group="carrier",
        baseline_name="logistic_regression",
    )
    evaluation = step(evaluated, "Evaluate network", memory="2Gi", pod="gate").outputs["evaluation"]
    step(check_gate(evaluation=evaluation, stop=False), "Check gate", WAITS, pod="gate")
    written = write_model_report(data=described, evaluation=evaluation, study=tuned.outputs["study"])
    step(written, "Write model report", cache=False, pod="gate")
    return Trained(
        network=network,
        production=production.outputs["package"],
        evaluation=evaluation,
        params=deep,
        replaces=production.outputs["version"],
    )
