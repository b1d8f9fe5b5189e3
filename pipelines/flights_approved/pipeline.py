"""The flights pipeline behind a person's leave: nothing is rolled out that nobody approved, and failures are told."""

from kfp import dsl
from seaway_components.evaluation import check_gate
from seaway_components.reporting import notify
from seaway_components.rollout import await_approval
from seaway_pipelines.flights.data import flights_data
from seaway_pipelines.flights.model import flights_model
from seaway_pipelines.flights.pipeline import GATE, report
from seaway_pipelines.flights.release import flights_release
from seaway_pipelines.flights.steps import WAITS, step

ASKS = "50m"  # of a core, for as long as somebody thinks


@dsl.pipeline(name="flights-approved", display_name="Flights: rolled out when somebody has said yes")
def flights_approved(
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
    timeout_h: float = 24.0,
    owner: str = "",
):
    """Train as the pipeline `flights` does, ask behind the gate whether to roll out, and tell people of a failure.

    The rollout's signed statements name who approved, when and why. `seaway approve` shows what is asked, and decides.

    Args:
        months: Months of 2013, such as "1,2", or "all".
        rows: At most so many flights, the earliest; 0 for all.
        epochs: Passes of the network over the training rows, at most.
        workers: Processes that train the network together.
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
        timeout_h: Hours until an unanswered question is closed.
        owner: Whom a failure's notice names.
    """
    told = step(notify(owner=owner), "Tell of a failure", WAITS, cache=False)
    with dsl.ExitHandler(told, name="Flights"):
        data = flights_data(months=months, rows=rows).set_display_name("Data")
        model = flights_model(
            **{name: data.outputs[name] for name in ("described", "train", "validation", "test")},
            epochs=epochs,
            workers=workers,
            tune_trials=tune_trials,
            seed=seed,
            model_name=model_name,
            gate=gate,
        ).set_display_name("Model")
        opened = step(check_gate(evaluation=model.outputs["evaluation"]), "Stop at a closed gate", WAITS)
        asked = await_approval(
            evaluation=model.outputs["evaluation"], question="May this network be rolled out?", timeout_h=timeout_h
        )
        leave = step(asked.after(opened), "Await approval", ASKS, cache=False)
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
            approver=leave.outputs["Output"],
        )
        report(release.set_display_name("Release"))
