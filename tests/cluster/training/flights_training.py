"""The first half of the flights pipeline: from raw flights to the trained network."""

from kfp import dsl
from seaway_components.data.ingest_tables.component import ingest_tables
from seaway_components.features.build_features.component import build_features
from seaway_components.features.get_training_examples.component import get_training_examples
from seaway_components.training.train_pytorch.component import train_pytorch
from seaway_examples.flights.schema import DEFINITIONS, SOURCE
from seaway_pipelines.flights.model import COLUMNS, DEEP


@dsl.pipeline(name="flights-training")
def flights_training(months: str = "1", rows: int = 20000, epochs: int = 2, workers: int = 3, backend: str = "auto"):
    """Ingest, build features, take examples, train."""
    tables = ingest_tables(source=SOURCE, options={"months": months, "rows": rows}).outputs["tables"]
    repository = build_features(tables=tables, definitions=DEFINITIONS).outputs["repository"]
    examples = get_training_examples(repository=repository, tables=tables)
    train_pytorch(
        train=examples.outputs["train"],
        validation=examples.outputs["validation"],
        params={**COLUMNS, **DEEP, "epochs": epochs},
        workers=workers,
        backend=backend,
    )
