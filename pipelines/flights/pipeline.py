"""From raw flights to a promoted canary: every component of Seaway in one pipeline of three parts."""

from kfp import dsl
from kfp.dsl import PipelineTask
from seaway_components.reporting import write_report
from seaway_pipelines.flights.data import flights_data
from seaway_pipelines.flights.model import flights_model
from seaway_pipelines.flights.release import flights_release
from seaway_pipelines.flights.steps import step

GATE = {
    "min_rows": 1000,
    "min_roc_auc": 0.6,
    "max_ece": 0.15,
    "beats:carrier_rate": 0.0,
    "not_worse_than:logistic_regression": 0.01,
    "not_worse_than:production": 0.02,
}


def report(after: PipelineTask, part: str = "") -> None:
    """Write the run's report when a part of it has ended, however that was.

    A handler around all would be one task for the price of three, and all that the graph shows at first.
    """
    written = write_report(part=part).after(after).ignore_upstream_failure()
    step(written, f"Report after {part}" if part else "Write report", cache=False)


@dsl.pipeline(name="flights", display_name="Flights: from raw data to a promoted canary")
def flights(
    months: str = "all",
    rows: int = 0,
    epochs: int = 4,
    workers: int = 2,
    tune_trials: int = 8,
    seed: int = 0,
    model_name: str = "flights",
    endpoint_name: str = "flights",
    gate: dict = GATE,
    weights: list = [5, 25, 50, 100],  # noqa: B006 - KFP keeps the default in the compiled file
    requests: list = [400, 600, 1000, 800],  # noqa: B006
    budget: int = 12000,
    batch_size: int = 32,
    port: int = 0,
):
    """Predict which flights arrive more than 15 minutes late, and put the model into production if it proves itself.

    Real flights become point-in-time correct examples; a logistic regression is trained, the params of a network are
    tuned, and the network is trained, with the logistic regression and the carrier's historic rate as baselines. Behind
    the gate the network is packaged, signed, registered and deployed beside the model in production; held-out flights
    are sent as requests while a judge shifts the traffic. A first run has no production model: the logistic regression
    becomes it.

    Args:
        months: Months of 2013, such as "1,2", or "all".
        rows: At most so many flights, the earliest; 0 for all.
        epochs: Passes of the network over the training rows, at most.
        workers: Processes that train the network together; the logistic regression needs one.
        tune_trials: Networks that are tried with other params before one is trained; 0 takes the params as they are.
        seed: Of initial weights, the order of rows and the choice of params to try.
        model_name: Name in the model registry.
        endpoint_name: Name of the endpoint, a DNS label.
        gate: Rules that the network must meet, with their bounds; see `evaluate_model`.
        weights: Per cent of the traffic to the candidate, rising to 100.
        requests: Requests at each weight.
        budget: Requests after which an undecided candidate is rolled back.
        batch_size: Waiting requests that the endpoint answers by one pass through the model, at most.
        port: Port of the endpoint; 0 for any free one.
    """
    data = flights_data(months=months, rows=rows).set_display_name("Data")
    report(data, "data")
    model = flights_model(
        **{name: data.outputs[name] for name in ("described", "train", "validation", "test")},
        epochs=epochs,
        workers=workers,
        tune_trials=tune_trials,
        seed=seed,
        model_name=model_name,
        gate=gate,
    ).set_display_name("Model")
    report(model, "model")
    release = flights_release(
        **{name: data.outputs[name] for name in ("train", "replay")},
        **{name: model.outputs[name] for name in ("network", "production", "evaluation", "params", "replaces")},
        seed=seed,
        model_name=model_name,
        endpoint_name=endpoint_name,
        weights=weights,
        requests=requests,
        budget=budget,
        batch_size=batch_size,
        port=port,
    ).set_display_name("Release")
    report(release)
