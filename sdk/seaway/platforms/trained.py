"""A training as a step of a pipeline: carried out by this place's trainer, recorded, its figures and links told."""

from pathlib import Path
from typing import Any

from seaway import models
from seaway.data.origin import carry, origins
from seaway.platforms.place import current
from seaway.reporting import write_links
from seaway.training import Trainer, TrainSpec


def train(spec: TrainSpec, backend: str, rows: Any, model: Any, metrics: Any, links: Any, track_as: str) -> None:
    """Train, and say of the artifacts what came of it.

    Args:
        spec: What is trained.
        backend: Of the `Trainer` port.
        rows: Artifact of the rows that are learned from, which say what data they were made of.
        model: Artifact of the model.
        metrics: Artifact of its figures.
        links: Artifact with the links.
        track_as: Name of the run in the experiment tracker; empty leaves it untracked.

    Raises:
        InvalidSpec, TrainingFailed, DataUnreadable: as the trainer says.
        RegistryUnavailable: the experiment tracker does not answer.
    """
    result = current(Trainer, backend).train(spec)
    page = _tracked(spec, rows, model, track_as) if track_as else ""
    write_links(Path(links.path), {"This training's run": page}, result.summary)
    for name, value in result.metrics.items():
        metrics.log_metric(name, value)
    carry([rows.metadata], [model.metadata])
    model.metadata["sha256"] = result.sha256
    model.metadata["summary"] = result.summary


def _tracked(spec: TrainSpec, rows: Any, model: Any, track_as: str) -> str:
    """The page of the run that records the training; empty where nothing serves pages."""
    made_of = origins(rows.metadata)
    lineage = models.trace(Path(model.path), Path(rows.path), spec.params, seed=spec.seed, origins=made_of)
    tracker = current(models.ModelRegistry)
    return tracker.run_page(models.log_trained(tracker, track_as, Path(model.path), lineage))
