"""The flights model watched: recent flights against the training rows, served features against recomputed ones."""

from kfp import dsl
from kfp.dsl import PipelineTask
from seaway_components.data import ingest_tables, validate_tables
from seaway_components.features import build_features, get_training_examples
from seaway_components.monitoring import check_skew, monitor_drift

RECENT = {"train_fraction": 0.97, "validation_fraction": 0.01, "test_fraction": 0.01, "replay_fraction": 0.01}


def named(task: PipelineTask, title: str, memory: str = "1Gi") -> PipelineTask:
    """Name a step and request what it needs."""
    return task.set_display_name(title).set_cpu_request("1").set_memory_request(memory)


def recent_examples(months: str, rows: int, **fractions: float) -> PipelineTask:
    """Add the steps from raw tables to examples, the same as those of the flights pipeline."""
    tables = named(ingest_tables(options={"months": months, "rows": rows}), "Ingest tables").outputs["tables"]
    validated = named(validate_tables(tables=tables), "Validate tables")
    built = named(build_features(tables=tables).after(validated), "Build features", "2Gi")
    examples = get_training_examples(repository=built.outputs["repository"], tables=tables, **fractions)
    return named(examples, "Get training examples")


def monitored(current: dsl.Dataset, model_name: str) -> PipelineTask:
    """Add the step that compares `current` with the model's training rows."""
    task = monitor_drift(current=current, model_name=model_name)
    return named(task, "Monitor drift", "2Gi").set_caching_options(False)


def compared(examples: dsl.Dataset, served: str, model_name: str) -> PipelineTask:
    """Add the step that compares what was served with the same rows among `examples`."""
    task = check_skew(examples=examples, served=served, model_name=model_name)
    return named(task, "Check skew").set_caching_options(False)


@dsl.pipeline(name="flights-monitoring", display_name="Flights: watch the model in production")
def flights_monitoring(months: str = "all", rows: int = 0, model_name: str = "flights", served: str = ""):
    """Check the model in production for drift, lost quality and skew, and publish the figures to Prometheus and MLflow.

    Args:
        months: Months of 2013 to look at, such as "7", or "all".
        rows: At most so many flights, the earliest; 0 for all.
        model_name: Name in the model registry.
        served: URI of the folder with the log of served features; where it is empty, skew is not checked.
    """
    examples = recent_examples(months, rows, **RECENT)
    monitored(examples.outputs["train"], model_name)
    compared(examples.outputs["train"], served, model_name)
