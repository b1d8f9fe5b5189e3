"""From raw flights to a promoted canary: every component of Seaway in one pipeline."""

from kfp import dsl
from kfp.dsl import PipelineTask
from seaway_components.data import ingest_tables, validate_tables
from seaway_components.evaluation import check_gate, evaluate_model
from seaway_components.features import build_features, get_training_examples
from seaway_components.models import get_production_model, package_model, register_model
from seaway_components.reporting import write_report
from seaway_components.rollout import confirm_promotion, roll_out
from seaway_components.serving import deploy_endpoint, tear_down
from seaway_components.training import train_pytorch
from seaway_components.tuning import tune_model
from seaway_examples.flights.schema import FEATURES, UNITS

GATE = {
    "min_rows": 1000,
    "min_roc_auc": 0.6,
    "max_ece": 0.15,
    "beats:carrier_rate": 0.0,
    "not_worse_than:logistic_regression": 0.01,
    "not_worse_than:production": 0.02,
}

KEYS = ["flight_id"]
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


WAITS = "100m"  # of a core, for what asks a service or waits for pods of their own


def _step(task: PipelineTask, title: str, cpu: str = "1", memory: str = "1Gi", cache: bool = True) -> PipelineTask:
    """Name a step, request what it needs, and say whether its result may be reused."""
    return task.set_display_name(title).set_cpu_request(cpu).set_memory_request(memory).set_caching_options(cache)


def _retried(task: PipelineTask) -> PipelineTask:
    """Try a step again that calls a service; one that computes fails the same way each time."""
    return task.set_retry(num_retries=2, backoff_duration="5s", backoff_factor=2.0, backoff_max_duration="60s")


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
    requests: list = [400, 600, 1000, 200],  # noqa: B006
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
    ended = _step(tear_down(name=endpoint_name, model_name=model_name), "Tear down", WAITS, cache=False)
    with dsl.ExitHandler(ended, name="From data to production"):
        ingested = _step(ingest_tables(options={"months": months, "rows": rows}), "Ingest tables")
        tables = ingested.outputs["tables"]
        validated = _step(validate_tables(tables=tables), "Validate tables")
        built = _step(build_features(tables=tables).after(validated), "Build features", memory="2Gi")
        repository = built.outputs["repository"]
        examples = _step(get_training_examples(repository=repository, tables=tables), "Get training examples")
        train, test = examples.outputs["train"], examples.outputs["test"]

        data = {"train": train, "validation": examples.outputs["validation"], "seed": seed, "track_as": model_name}
        tuned = tune_model(
            **data,
            space=SPACE,
            params={**COLUMNS, **DEEP, "epochs": epochs},
            objectives=[{"metric": "validation_loss", "goal": "minimize"}],
            trials=tune_trials,
            seconds=TUNE_S,
        )
        deep = _step(tuned, "Tune network", WAITS, "2Gi").outputs["params"]
        linear = {**COLUMNS, **LINEAR}
        trained_baseline = _step(train_pytorch(**data, params=linear), "Train baseline", WAITS, "2Gi")
        trained = _step(train_pytorch(**data, params=deep, workers=workers), "Train network", WAITS, "2Gi")
        baseline, network = trained_baseline.outputs["model"], trained.outputs["model"]

        packed_baseline = _step(
            package_model(model=baseline, train=train, parameters=linear, seed=seed), "Package baseline"
        )
        found = get_production_model(fallback=packed_baseline.outputs["package"], name=model_name)
        production = _step(_retried(found), "Get production model", WAITS, cache=False)
        evaluated = evaluate_model(
            model=network,
            baseline=baseline,
            production=production.outputs["package"],
            train=train,
            test=test,
            slices=["carrier", "month"],
            gate=gate,
        )
        evaluation = _step(evaluated, "Evaluate network", memory="2Gi").outputs["evaluation"]
        checked = _step(check_gate(evaluation=evaluation), "Check gate", WAITS)

        packed = package_model(
            model=network,
            train=train,
            evaluation=evaluation,
            parameters=deep,
            seed=seed,
            parent=production.outputs["version"],
        )
        package = _step(packed.after(checked), "Package network").outputs["package"]
        listed = register_model(package=package, name=model_name)
        registered = _step(_retried(listed), "Register network", WAITS, cache=False)
        deployed = deploy_endpoint(
            stable=production.outputs["package"],
            candidate=package,
            name=endpoint_name,
            batch_size=batch_size,
            port=port,
        )
        endpoint = _step(deployed.after(registered), "Deploy endpoint", WAITS, "2Gi", cache=False).outputs["endpoint"]
        rolled = roll_out(
            endpoint=endpoint,
            replay=examples.outputs["replay"],
            model_name=model_name,
            version=registered.outputs["version"],
            weights=weights,
            requests=requests,
            budget=budget,
            keys=KEYS,
        )
        rollout = _step(rolled, "Roll out", "500m", cache=False).outputs["rollout"]
        written = write_report(
            tables=tables,
            validation=validated.outputs["report"],
            repository=repository,
            train=train,
            baseline=baseline,
            model=network,
            evaluation=evaluation,
            package=package,
            endpoint=endpoint,
            rollout=rollout,
            study=tuned.outputs["study"],
        )
        reported = _step(written, "Write report", cache=False)
        confirmed = confirm_promotion(decision=rolled.outputs["decision"], rollout=rollout)
        _step(confirmed.after(reported), "Confirm promotion", WAITS, cache=False)
