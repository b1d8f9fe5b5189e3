from typing import NamedTuple

from kfp import dsl
from seaway.kfp import component


@component
def roll_out(
    endpoint: dsl.Input[dsl.Artifact],
    replay: dsl.Input[dsl.Dataset],
    rollout: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    model_name: str,
    version: str,
    weights: list = [5, 25, 50, 100],  # noqa: B006
    requests: list = [400, 600, 1000, 800],  # noqa: B006
    error_margin: float = 0.01,
    latency_margin: float = 1.0,
    quality_margin: float = 0.02,
    false_rollback: float = 0.05,
    budget: int = 12000,
    shadow: float = 0.3,
    keys: list = [],  # noqa: B006
    routing: str = "auto",
    counting: str = "auto",
    registry: str = "auto",
    label: str = "",
    task: str = "",
    passes: int = 1,
    approver: str = "",
) -> NamedTuple("Outputs", [("decision", str), ("reason", str)]):
    """Shift traffic to the candidate step by step while a judge watches errors, latency and prediction quality.

    The decision is acted upon: a promoted candidate becomes the endpoint's stable arm and the registry's production
    model unless another one came into production meanwhile; any other is ended. A rollback does not fail this step;
    `confirm_promotion` fails the run after the report is written. What allows each weight, and why, is stated under the
    signature of the key that signs packages, and kept beside the candidate's package: `seaway verify` checks it.

    Args:
        endpoint: Made by `deploy_endpoint`.
        replay: Held-out examples, sent as requests in time order; labels become known when their time has come.
        rollout: `rollout.json`: decision, reason, steps, one tick for each look with its evidence, and who called the
            endpoint meanwhile.
        metrics: Looks, requests, and how much worse the candidate was by each criterion.
        model_name: Registered model's name.
        version: The candidate's registered version.
        weights: Per cent of the traffic to the candidate, rising to 100. A first 0 is shadow mode: stable answers
            all requests, and the candidate gets a copy of each.
        requests: Requests at each weight before the next; the one before 100 goes on until the judge is sure, and the
            last until it has looked ten times.
        error_margin: Promoted only if the error rate is shown to rise by less than this; rolled back if it rises.
        latency_margin: The same for the relative rise of latency p50, p90, p99 and of the whole distribution, a quarter
            tolerated; four times as much for p99 before it keeps a candidate back. 0: not judged.
        quality_margin: The same for the rise of the mean loss in [0, 1] of the models' task, a quarter tolerated; 0:
            not judged.
        false_rollback: Chance, over all looks together, that a candidate which is no worse is rolled back.
        budget: Requests of both arms after which an undecided candidate is rolled back.
        shadow: Share of requests asked of both arms, to compare them on the same request; at full traffic at least 0.3.
        keys: Columns of `replay` that name a row; their values, joined by `/`, are a request's id in a log of what is
            served, by which `check_skew` finds the row again.
        routing: What moves the traffic, such as `istio` or `gateway-api`; `auto` takes this place's.
        counting: What counts it, such as `prometheus`; `auto` takes this place's.
        registry: Model registry; `auto` takes this place's.
        label: Column of `replay` with the truth; empty takes what the models' signatures say.
        task: What is predicted; empty takes what the models' signatures say.
        passes: How often the rows of `replay` are sent, where they are few; how well the models predict is told by the
            first pass only.
        approver: Who answers for this rollout, as its signed statements say; empty: nobody beside the policy.

    Returns:
        decision: PROMOTE, ROLLBACK, INCONCLUSIVE, or UNCHANGED where the candidate is the model in production; a model
            that serves alone because none was is promoted as the first.
        reason: The judge's evidence in one paragraph.

    Raises:
        TrafficFailed: the traffic does not follow the weights.
        DataUnreadable: the examples lack a column that the model needs, or hold a label that is none of its task.
        InvalidSpec: an argument is out of range, or nobody says what the models predict. Nothing was sent.
        PackageRefused, StorageUnavailable: a statement cannot be signed or kept; all traffic is on stable.
    """
    from pathlib import Path

    from seaway import models, monitoring, platforms, serving
    from seaway.platforms.home import keys as key_folder
    from seaway.platforms.runs import evidence
    from seaway.reporting import keep
    from seaway.rollout import Notary, Policy, Replay, RolloutPlan, RolloutStore, Traffic, Yardstick, conclude, run
    from seaway.storage import read_json

    deployed = serving.DeployedEndpoint.read(Path(endpoint.path) / "endpoint.json")
    endpoints = platforms.current(serving.Endpoint)
    served = serving.find_deployed(endpoints, deployed)
    policy = Policy.of(error_margin, latency_margin, quality_margin, false_rollback, budget)
    plan = RolloutPlan.of(served, weights, requests, policy, f"{model_name} version {version}", approver)
    traffic, counts = platforms.current(Traffic, routing), platforms.current(monitoring.TrafficMetrics, counting)
    judged = quality_margin and "candidate" in served.arms
    yardstick = Yardstick.of(served.targets, label, task) if judged else None
    notary = Notary.beside(served, models.signing_keys(key_folder()).private)
    with Replay(Path(replay.path), served, yardstick, shadow=shadow, keys=keys, passes=passes) as source:
        result = run(plan, traffic, source, counts, platforms.current(RolloutStore), notary)
    tracker = platforms.current(models.ModelRegistry, registry)
    result = conclude(
        result.with_callers(platforms.current(monitoring.ServiceGraph)), endpoints, tracker, model_name, version
    )
    result.write(Path(rollout.path) / "rollout.json")
    keep(evidence(), "rollout", read_json(Path(rollout.path) / "rollout.json"))
    for name, value in result.metrics.items():
        metrics.log_metric(name, value)
    rollout.metadata["summary"], rollout.metadata["live"] = result.summary, True
    return (str(result.decision), result.reason)
