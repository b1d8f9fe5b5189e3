"""Digits: from encoded pictures to a promoted canary."""

from kfp import dsl
from seaway_components.data import ingest_tables, validate_tables
from seaway_components.evaluation import check_gate, evaluate_model
from seaway_components.features import split_table
from seaway_components.models import get_production_model, package_model, register_model
from seaway_components.reporting import write_report
from seaway_components.rollout import confirm_promotion, roll_out
from seaway_components.serving import deploy_endpoint, tear_down
from seaway_components.training import train_pytorch

NAME, SOURCE, TRAINER = "digits", "seaway_examples.digits.source", "seaway.training.vision"
COLUMNS = {"image": "picture", "label": "digit", "size": [8, 8], "channels": 1, "name": NAME}
SIMPLE = {**COLUMNS, "backbone": "linear", "epochs": 8, "weight_decay": 0.1}
NETWORK = {**COLUMNS, "epochs": 8, "augment": {"RandomRotation": {"degrees": 8}}}


@dsl.pipeline(name=f"{NAME}-steps")
def steps(seed: int, params: dict, gate: dict, quality_margin: float, latency_margin: float):
    """All but the report; the exit task ends what a failed run has deployed."""
    with dsl.ExitHandler(tear_down(name=NAME, model_name=NAME).set_caching_options(False)):
        tables = ingest_tables(source=f"{SOURCE}:read_tables").outputs["tables"]
        validated = validate_tables(tables=tables, rules=f"{SOURCE}:RULES")
        columns = {"label": "digit", "task": "multiclass", "images": ["picture"], "keep": ["name"]}
        split = split_table(tables=tables, table="rows", seed=seed, **columns).after(validated).outputs
        data = {"train": split["train"], "validation": split["validation"], "entrypoint": TRAINER, "seed": seed}
        simple = train_pytorch(**data, params=SIMPLE).set_display_name("Train baseline").outputs["model"]
        model = train_pytorch(**data, params=params).set_display_name("Train network").outputs["model"]
        first = package_model(model=simple, train=split["train"]).set_display_name("Package baseline")
        production = get_production_model(fallback=first.outputs["package"], name=NAME).set_caching_options(False)
        stable, compared = production.outputs["package"], {"model": model, "train": split["train"], "baseline": simple}
        evaluation = evaluate_model(**compared, production=stable, test=split["test"], gate=gate).outputs["evaluation"]
        opened = check_gate(evaluation=evaluation)
        packed = package_model(model=model, train=split["train"], evaluation=evaluation, seed=seed).after(opened)
        version = register_model(package=packed.outputs["package"], name=NAME).set_caching_options(False)
        deployed = deploy_endpoint(stable=stable, candidate=packed.outputs["package"], name=NAME).after(version)
        rolled = roll_out(
            endpoint=deployed.set_caching_options(False).outputs["endpoint"], replay=split["replay"], model_name=NAME,
            version=version.outputs["version"], keys=["name"], passes=20, requests=[400, 480, 800, 800], shadow=1.0,
            quality_margin=quality_margin, latency_margin=latency_margin,
        ).set_caching_options(False)  # fmt: skip
        confirmed = confirm_promotion(decision=rolled.outputs["decision"], rollout=rolled.outputs["rollout"])
        confirmed.set_caching_options(False)


@dsl.pipeline(name=NAME)
def pipeline(
    seed: int = 0,
    params: dict = NETWORK,
    gate: dict = {"min_accuracy": 0.9},  # noqa: B006
    quality_margin: float = 0.1,
    latency_margin: float = 1.0,
):
    """Train a small convolutional network and a linear model; the network goes into production if it proves itself.

    However the run ends, its report is written last.

    Args:
        seed: Of initial weights, augmentation and the splits.
        params: The network's, see docs/reference/training.md.
        gate: Rules that the network must meet.
        quality_margin: The rise of the judge's loss that is too much.
        latency_margin: The relative rise of latency that is too much; 0 on a machine too busy to tell.
    """
    with dsl.ExitHandler(write_report().set_caching_options(False), name="The run"):
        steps(seed=seed, params=params, gate=gate, quality_margin=quality_margin, latency_margin=latency_margin)
