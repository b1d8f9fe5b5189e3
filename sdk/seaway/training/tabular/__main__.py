"""`python -m seaway.training.tabular --spec spec.json`, on each process of a training."""

import argparse
import logging
from pathlib import Path

import torch

from seaway.entrypoint import run
from seaway.storage import write_json
from seaway.training.checkpoint import Checkpoints
from seaway.training.history import HistoryWriter
from seaway.training.spec import TrainSpec
from seaway.training.tabular.data import Examples, learn_task, read_examples, sample_rows
from seaway.training.tabular.export import signature, write_model
from seaway.training.tabular.loop import Data, Fit, Prepared, adamw, run_epochs
from seaway.training.tabular.network import TabularModel, TabularNetwork
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.preprocessing import Preprocessing
from seaway.training.tabular.process_group import Worker, joined

SAMPLE_ROWS = 8  # in signature.json; a package is proved on them
log = logging.getLogger("seaway.training.tabular")


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Train and write the output contract."""
    params = TabularParams.parse(spec.params)
    task = learn_task(spec.train, params)
    train, validation = read_examples(spec.train, params, task), read_examples(spec.validation, params, task)
    signed = signature(
        params, task, sample_rows(spec.validation, params, SAMPLE_ROWS)
    )  # refused before the first epoch
    preprocessing = Preprocessing(train)
    torch.manual_seed(spec.seed)
    network = TabularNetwork(preprocessing.vocabularies.sizes, params, task.width)
    with joined() as worker:
        data = Data(_prepare(preprocessing, train, worker), _prepare(preprocessing, validation, worker), task)
        fit = _fit(spec, fingerprint, params, network, data, worker)
    if worker.first:
        best = TabularNetwork(preprocessing.vocabularies.sizes, params, task.width)
        best.load_state_dict(fit.best)
        write_json(spec.output / "metrics.json", _metrics(fit, len(train)))  # first: a tuner waits for no more
        write_model(TabularModel(preprocessing, best, task), signed, spec.output)


def _prepare(preprocessing: Preprocessing, examples: Examples, worker: Worker) -> Prepared:
    """Preprocessing is fixed, so it is done once and not once an epoch."""
    categories, numbers = preprocessing(examples.categories, examples.numbers)
    return Prepared(*(tensor.to(worker.device) for tensor in (categories, numbers, examples.labels)))


def _fit(
    spec: TrainSpec,
    fingerprint: str,
    params: TabularParams,
    network: TabularNetwork,
    data: Data,
    worker: Worker,
) -> Fit:
    network.to(worker.device)
    worker.split(network, params.parallel)
    fit = Fit(network, adamw(network, params))
    checkpoints = Checkpoints(spec.checkpoints / fingerprint[:16], fingerprint)
    if worker.first and spec.start_from is not None:
        checkpoints.adopt(spec.start_from)
    newest = worker.same(checkpoints.newest_data() if worker.first else None)
    if newest is not None:
        checkpoint = checkpoints.parse(newest)
        fit.resume(checkpoint)
        log.info("resuming after epoch %d", checkpoint.epoch)
    writer = _start_writing(spec, fit, checkpoints) if worker.first else None
    run_epochs(fit, data, params, spec.seed, worker, checkpoints, writer)
    if writer is not None:
        writer.close()
    return fit


def _start_writing(spec: TrainSpec, fit: Fit, checkpoints: Checkpoints) -> HistoryWriter:
    checkpoints.remove_drafts()
    return HistoryWriter(spec.output, fit.history)


def _metrics(fit: Fit, rows: int) -> dict[str, float]:
    best = fit.history[fit.best_epoch - 1]
    seconds = sum(entry["seconds"] for entry in fit.history)
    return {
        **{name: value for name, value in best.items() if name == "loss" or name.startswith("validation_")},
        "best_epoch": fit.best_epoch,
        "epochs": len(fit.history),
        "rows": rows,
        "weights": sum(weight.numel() for weight in fit.network.parameters()),
        "seconds": seconds,
        "rows_per_second": rows * len(fit.history) / seconds,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the tabular model; started once a process by torchrun.")
    parser.add_argument("--spec", type=Path, required=True, help="file that seaway.training.TrainSpec.write wrote")
    run(lambda: main(*TrainSpec.read(parser.parse_args().spec)))
