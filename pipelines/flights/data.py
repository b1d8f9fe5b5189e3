"""The first part of the flights pipeline: from raw tables to examples."""

from typing import NamedTuple

from kfp import dsl
from seaway_components.data import ingest_tables, validate_tables
from seaway_components.features import build_features, get_training_examples
from seaway_components.reporting import describe_data
from seaway_examples.flights.schema import DEFINITIONS, RULES, SOURCE, SUBJECT, UNITS
from seaway_pipelines.flights.steps import step


class Examples(NamedTuple):
    tables: dsl.Dataset
    described: dsl.Artifact
    train: dsl.Dataset
    validation: dsl.Dataset
    test: dsl.Dataset
    replay: dsl.Dataset


@dsl.pipeline(name="flights-data", display_name="Data: from raw tables to examples")
def flights_data(
    months: str,
    rows: int,
    train_fraction: float = 0.6,
    validation_fraction: float = 0.15,
    test_fraction: float = 0.15,
    replay_fraction: float = 0.1,
) -> Examples:
    """Fetch flights and weather, check them, and make examples as they stood at each flight's time, split by time."""
    ingested = step(ingest_tables(source=SOURCE, options={"months": months, "rows": rows}), "Ingest tables")
    tables = ingested.outputs["tables"]
    validated = step(validate_tables(tables=tables, rules=RULES), "Validate tables")
    features = build_features(tables=tables, definitions=DEFINITIONS)
    built = step(features.after(validated), "Build features", memory="2Gi")
    repository = built.outputs["repository"]
    split = get_training_examples(
        repository=repository,
        tables=tables,
        train_fraction=train_fraction,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        replay_fraction=replay_fraction,
    )
    examples = step(split, "Get training examples")
    described = describe_data(
        train=examples.outputs["train"],
        tables=tables,
        validation=validated.outputs["report"],
        repository=repository,
        units=UNITS,
        **SUBJECT,
    )
    described = step(described, "Describe data")
    return Examples(
        tables=tables,
        described=described.outputs["data"],
        train=examples.outputs["train"],
        validation=examples.outputs["validation"],
        test=examples.outputs["test"],
        replay=examples.outputs["replay"],
    )
