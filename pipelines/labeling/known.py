"""The first part of the labeling pipeline: what is known, and a model of it."""

from typing import NamedTuple

from kfp import dsl
from seaway_components.data import ingest_tables
from seaway_components.features import split_table
from seaway_components.models import package_model
from seaway_components.training import train_pytorch

# Half of what is known is held out: few labels are to judge all later models.
SPLIT = {"train_fraction": 0.35, "validation_fraction": 0.1, "test_fraction": 0.5, "replay_fraction": 0.05}


class Known(NamedTuple):
    train: dsl.Dataset
    validation: dsl.Dataset
    test: dsl.Dataset
    package: dsl.Model


@dsl.pipeline(name="labeling-known", display_name="What is known: rows with labels, and a model of them")
def known_rows(
    source: str,
    options: dict,
    key: str,
    label: str,
    task: str,
    numeric: list,
    categorical: list,
    texts: list,
    images: list,
    params: dict,
    entrypoint: str,
    seed: int,
) -> Known:
    """Read the rows with labels, split them at random, and train a model that can say what it is unsure of."""
    ingested = (
        ingest_tables(source=source, options=options).set_display_name("Ingest labelled rows").set_cpu_request("1")
    )
    split = split_table(
        tables=ingested.outputs["tables"],
        table="rows",
        label=label,
        task=task,
        numeric=numeric,
        categorical=categorical,
        texts=texts,
        images=images,
        keep=[key],
        seed=seed,
        **SPLIT,
    )
    rows = split.set_display_name("Split").set_cpu_request("1").outputs
    train, validation = rows["train"], rows["validation"]
    trained = train_pytorch(train=train, validation=validation, params=params, entrypoint=entrypoint, seed=seed)
    model = trained.set_display_name("Train").set_cpu_request("100m").set_memory_request("2Gi").outputs["model"]
    packed = package_model(model=model, train=train, parameters=params, seed=seed)
    package = packed.set_display_name("Package").set_cpu_request("1").set_memory_request("1Gi").outputs["package"]
    return Known(train=train, validation=validation, test=rows["test"], package=package)
