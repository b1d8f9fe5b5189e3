"""A model out of tables that are kept as a version."""

from kfp import dsl
from seaway_components.data import ingest_tables, version_data
from seaway_components.evaluation import evaluate_model
from seaway_components.features import split_table
from seaway_components.models import package_model
from seaway_components.reporting import write_model_report
from seaway_components.training import train_pytorch


@dsl.pipeline(name="versioned-training")
def versioned_training(source: str, options: dict, params: dict):
    """Train on a source's rows, and keep them."""
    tables = ingest_tables(source=source, options=options).outputs["tables"]
    version_data(tables=tables, name="orders")
    split = split_table(tables=tables, table="rows", label="large", numeric=["size"])
    train = split.outputs["train"]
    model = train_pytorch(train=train, validation=split.outputs["validation"], params=params).outputs["model"]
    package_model(model=model, train=train, parameters=params)
    evaluation = evaluate_model(model=model, train=train, test=split.outputs["test"]).outputs["evaluation"]
    write_model_report(evaluation=evaluation)
