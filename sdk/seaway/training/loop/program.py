"""What the program of a bundled trainer does between reading its rows and exporting its network."""

import logging

from torch import nn

from seaway.training.checkpoint import Checkpoints
from seaway.training.history import HistoryWriter
from seaway.training.loop.division import divided
from seaway.training.loop.epochs import Data, Fit, adamw, run_epochs
from seaway.training.loop.params import LoopParams
from seaway.training.loop.process_group import Worker
from seaway.training.spec import TrainSpec

log = logging.getLogger(__name__)


def learn(spec: TrainSpec, fingerprint: str, params: LoopParams, network: nn.Module, data: Data, worker: Worker) -> Fit:
    """Train `network`, from the run's newest checkpoint where there is one; the first worker writes the history.

    Raises:
        InvalidSpec: the network cannot be divided as `params` say.
        TrainingFailed: the loss is no number any more.
        CheckpointUnusable: a checkpoint cannot be written, or is of another run.
    """
    if worker.first:
        tell_constant(data)
    network.to(worker.device)
    worker = divided(worker, params.parallel)
    worker.split(network)
    fit = Fit(network, adamw(network, params), worker)
    checkpoints = Checkpoints(spec.checkpoints / fingerprint[:16], fingerprint)
    if worker.first and spec.start_from is not None:
        checkpoints.adopt(spec.start_from)
    newest = worker.same(checkpoints.newest_data() if worker.first else None)
    if newest is not None:
        checkpoint = checkpoints.parse(newest)
        fit.resume(checkpoint)
        log.info("resuming after epoch %d", checkpoint.epoch)
    writer = _start_writing(spec, fit, checkpoints) if worker.first else None
    run_epochs(fit, data, params, spec.seed, checkpoints, writer)
    if writer is not None:
        writer.close()
    return fit


def tell_constant(data: Data) -> None:
    """Say that all labels are one, from which a network learns to answer the same to everything."""
    labels = data.train.labels
    if len(labels) > 1 and bool((labels == labels[:1]).all()):
        log.warning(
            "All %d training rows have the same label %s, so the model learns to answer that whatever it is asked; "
            "train on rows of which some have another one",
            *(len(labels), data.task.target.label),
        )


def _start_writing(spec: TrainSpec, fit: Fit, checkpoints: Checkpoints) -> HistoryWriter:
    checkpoints.remove_drafts()
    return HistoryWriter(spec.output, fit.history)


def figures(fit: Fit, rows: int) -> dict[str, float]:
    """What `metrics.json` holds of a training on so many rows."""
    best = fit.history[fit.best_epoch - 1]
    seconds = sum(entry["seconds"] for entry in fit.history)
    return {
        **{name: value for name, value in best.items() if name == "loss" or name.startswith("validation_")},
        "best_epoch": fit.best_epoch,
        "epochs": len(fit.history),
        "rows": rows,
        "weights": sum(weight.numel() for weight in getattr(fit.network, "network", fit.network).parameters()),
        "seconds": seconds,
        "rows_per_second": rows * len(fit.history) / seconds,
    }
