"""The last part of the flights pipeline: from a model that must pass its gate to a canary that is promoted, or not."""

from kfp import dsl
from seaway_components.evaluation import check_gate
from seaway_components.models import package_model, register_model
from seaway_components.rollout import confirm_promotion, roll_out
from seaway_components.serving import deploy_endpoint, tear_down
from seaway_examples.flights.schema import KEYS
from seaway_pipelines.flights.steps import WAITS, retried, step


@dsl.pipeline(name="flights-release", display_name="Release: packaged, deployed, and promoted if it proves itself")
def flights_release(
    network: dsl.Input[dsl.Model],
    production: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact],
    train: dsl.Input[dsl.Dataset],
    replay: dsl.Input[dsl.Dataset],
    params: dict,
    replaces: str,
    seed: int,
    model_name: str,
    endpoint_name: str,
    weights: list,
    requests: list,
    budget: int,
    batch_size: int,
    port: int,
    approver: str = "",
):
    """Package and sign the network; behind its gate register it, and shift traffic to it while a judge watches."""
    ended = step(tear_down(name=endpoint_name, model_name=model_name), "Tear down", WAITS, cache=False)
    with dsl.ExitHandler(ended, name="Canary"):
        stopped = step(check_gate(evaluation=evaluation), "Stop at a closed gate", WAITS, pod="gate")
        packed = package_model(
            model=network, train=train, evaluation=evaluation, parameters=params, seed=seed, parent=replaces
        )
        package = step(packed, "Package network").outputs["package"]
        registering = retried(register_model(package=package, name=model_name).after(stopped))
        registered = step(registering, "Register network", WAITS, cache=False, pod="gate")
        deploying = deploy_endpoint(
            stable=production, candidate=package, name=endpoint_name, batch_size=batch_size, port=port
        )
        deployed = step(deploying.after(registered), "Deploy endpoint", WAITS, "2Gi", cache=False, pod="gate")
        rolled = roll_out(
            endpoint=deployed.outputs["endpoint"],
            replay=replay,
            model_name=model_name,
            version=registered.outputs["version"],
            weights=weights,
            requests=requests,
            budget=budget,
            keys=KEYS,
            approver=approver,
        )
        rollout = step(rolled, "Roll out", "500m", cache=False).outputs["rollout"]
        confirmed = confirm_promotion(decision=rolled.outputs["decision"], rollout=rollout)
        step(confirmed, "Confirm promotion", WAITS, cache=False, pod="verdict")
