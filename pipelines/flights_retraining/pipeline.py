"""The loop closed: drift of the flights in production leads to a successor that proves itself, or to nothing."""

from kfp import dsl
from seaway_components.monitoring import decide_retraining
from seaway_pipelines.flights.data import flights_data
from seaway_pipelines.flights.pipeline import GATE, flights
from seaway_pipelines.flights.steps import step
from seaway_pipelines.flights_monitoring.pipeline import compared, monitored


@dsl.pipeline(name="flights-retraining", display_name="Flights: retrain on drift")
def flights_retraining(
    months: str = "all",
    rows: int = 0,
    epochs: int = 4,
    workers: int = 2,
    tune_trials: int = 8,
    seed: int = 0,
    model_name: str = "flights",
    endpoint_name: str = "flights",
    served: str = "",
    triggers: list = ["drift", "quality"],  # noqa: B006 - KFP keeps the default in the compiled file
    least_rows: int = 1000,
    gate: dict = GATE,
    weights: list = [5, 25, 50, 100],  # noqa: B006
    requests: list = [400, 600, 1000, 800],  # noqa: B006
    budget: int = 12000,
    batch_size: int = 32,
    port: int = 0,
):
    """Check the model in production on new months; where they have drifted, run the whole flights pipeline on them.

    What follows the decision is the flights pipeline itself, gate, canary and rollback with it.

    Args:
        months: New months of 2013, such as "6,7", or "all".
        rows: At most so many flights, the earliest; 0 for all.
        epochs: Passes of the network over the training rows, at most.
        workers: Processes that train the network together.
        tune_trials: Networks that are tried with other params before one is trained; 0 takes the params as they are.
        seed: Of initial weights, the order of rows and the choice of params to try.
        model_name: Name in the model registry.
        endpoint_name: Name of the endpoint, a DNS label.
        served: URI of the folder with the log of served features, of which none may differ from the trained ones; empty
            where requests are not logged.
        triggers: What calls for a retraining: drift, quality, or both.
        least_rows: Fewest rows with labels to learn from.
        gate: Rules that the network must meet, with their bounds; see `evaluate_model`.
        weights: Per cent of the traffic to the candidate, rising to 100.
        requests: Requests at each weight.
        budget: Requests after which an undecided candidate is rolled back.
        batch_size: Waiting requests that the endpoint answers by one pass through the model, at most.
        port: Port of the endpoint; 0 for any free one.
    """
    examples = flights_data(months=months, rows=rows).set_display_name("Data")
    checked = monitored(examples.outputs["train"], model_name)
    skewed = compared(examples.outputs["train"], served, model_name).outputs["features"]
    decided = decide_retraining(check=checked.outputs["check"], triggers=triggers, least_rows=least_rows, skewed=skewed)
    decision = step(decided, "Decide retraining")
    with dsl.If(decision.outputs["Output"] == True, name="Retraining is called for"):  # noqa: E712 - builds a condition
        flights(
            months=months,
            rows=rows,
            epochs=epochs,
            workers=workers,
            tune_trials=tune_trials,
            seed=seed,
            model_name=model_name,
            endpoint_name=endpoint_name,
            gate=gate,
            weights=weights,
            requests=requests,
            budget=budget,
            batch_size=batch_size,
            port=port,
        ).set_display_name("Flights")
