"""Data, a training, a package and an endpoint."""

from kfp import dsl
from seaway_components.data.ingest_tables.component import ingest_tables
from seaway_components.features.split_table.component import split_table
from seaway_components.models.package_model.component import package_model
from seaway_components.serving.deploy_endpoint.component import deploy_endpoint
from seaway_components.training.train_pytorch.component import train_pytorch


@dsl.pipeline(name="small")
def small(model: str = "small"):
    tables = ingest_tables(source="orders:read").outputs["tables"]
    rows = split_table(tables=tables, table="orders", label="back", numeric=["größe"]).outputs
    trained = train_pytorch(
        train=rows["train"],
        validation=rows["validation"],
        params={"label": "back", "numeric": ["größe"], "epochs": 1, "hidden": [4]},
    ).outputs["model"]
    package = package_model(model=trained, train=rows["train"]).outputs["package"]
    deploy_endpoint(candidate=package, name=model)
