"""From raw flights to a promoted canary: every component of Seaway in one pipeline of three parts."""

from kfp import dsl
from seaway_components.models import package_model, register_model
from seaway_components.reporting import write_report
from seaway_components.rollout import confirm_promotion, roll_out
from seaway_components.serving import deploy_endpoint, tear_down
from seaway_examples.flights.schema import KEYS
from seaway_pipelines.flights.data import flights_data
from seaway_pipelines.flights.model import flights_model
from seaway_pipelines.flights.steps import WAITS, retried, step

GATE = {
    "min_rows": 1000,
    "min_roc_auc": 0.6,
    "max_ece": 0.15,
    "beats:carrier_rate": 0.0,
    "not_worse_than:logistic_regression": 0.01,
    "not_worse_than:production": 0.02,
}


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
    given = {name: data.outputs[name] for name in ("tables", "checks", "features", "train", "validation", "test")}
    found = flights_model(
        **given,
        epochs=epochs,
        workers=workers,
        tune_trials=tune_trials,
        seed=seed,
        model_name=model_name,
        gate=gate,
    )
    model = found.set_display_name("Model")

    ended = step(tear_down(name=endpoint_name, model_name=model_name), "Tear down", WAITS, cache=False)
    with dsl.ExitHandler(ended, name="Release"):
        packed = package_model(
            model=model.outputs["network"],
            train=data.outputs["train"],
            evaluation=model.outputs["evaluation"],
            parameters=model.outputs["params"],
            seed=seed,
            parent=model.outputs["replaces"],
        )
        package = step(packed, "Package network").outputs["package"]
        registered = step(
            retried(register_model(package=package, name=model_name)),
            "Register network",
            WAITS,
            cache=False,
            pod="release",
        )
        deployed = deploy_endpoint(
            stable=model.outputs["production"],
            candidate=package,
            name=endpoint_name,
            batch_size=batch_size,
            port=port,
        )
        deployed = step(deployed.after(registered), "Deploy endpoint", WAITS, "2Gi", cache=False, pod="release")
        endpoint = deployed.outputs["endpoint"]
        rolled = roll_out(
            endpoint=endpoint,
            replay=data.outputs["replay"],
            model_name=model_name,
            version=registered.outputs["version"],
            weights=weights,
            requests=requests,
            budget=budget,
            keys=KEYS,
        )
        rollout = step(rolled, "Roll out", "500m", cache=False, pod="release").outputs["rollout"]
        written = write_report(model=model.outputs["report"], package=package, endpoint=endpoint, rollout=rollout)
        reported = step(written, "Write report", "500m", cache=False, pod="release")
        confirmed = confirm_promotion(decision=rolled.outputs["decision"], rollout=rollout)
        step(confirmed.after(reported), "Confirm promotion", WAITS, cache=False, pod="verdict")
