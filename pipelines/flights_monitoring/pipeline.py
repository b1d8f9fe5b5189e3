"""The flights model watched: recent flights against the training rows, served features against recomputed ones."""

from kfp import dsl
from kfp.dsl import PipelineTask
from seaway_components.monitoring import check_skew, monitor_drift
from seaway_examples.flights.schema import KEYS, LABEL, TASK
from seaway_pipelines.flights.data import flights_data
from seaway_pipelines.flights.steps import step

RECENT = {"train_fraction": 0.97, "validation_fraction": 0.01, "test_fraction": 0.01, "replay_fraction": 0.01}


def monitored(current: dsl.Dataset, model_name: str) -> PipelineTask:
    """Add the step that compares `current` with the model's training rows."""
    task = monitor_drift(current=current, model_name=model_name, label=LABEL, task=TASK)
    return step(task, "Monitor drift", memory="2Gi", cache=False)


def compared(examples: dsl.Dataset, served: str, model_name: str) -> PipelineTask:
    """Add the step that compares what was served with the same rows among `examples`."""
    task = check_skew(examples=examples, served=served, model_name=model_name, keys=KEYS)
    return step(task, "Check skew", cache=False)


@dsl.pipeline(name="flights-monitoring", display_name="Flights: watch the model in production")
def flights_monitoring(months: str = "all", rows: int = 0, model_name: str = "flights", served: str = ""):
    """Check the model in production for drift, lost quality and skew, and publish the figures to Prometheus and MLflow.

    Args:
        months: Months of 2013 to look at, such as "7", or "all".
        rows: At most so many flights, the earliest; 0 for all.
        model_name: Name in the model registry.
        served: URI of the folder with the log of served features; where it is empty, skew is not checked.
    """
    examples = flights_data(months=months, rows=rows, **RECENT).set_display_name("Data")
    monitored(examples.outputs["train"], model_name)
    compared(examples.outputs["train"], served, model_name)
