"""Training: Seaway's loop against a plain PyTorch loop on the same rows, network, batches and optimizer.

Rows a second, one process and one thread each, repetitions interleaved and taking turns to be first; then two
processes by torchrun.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.tasks import Task
from seaway.training import TrainSpec
from seaway.training.loop.epochs import Data, adamw, train_epoch
from seaway.training.loop.process_group import Worker
from seaway.training.loop.rows import learn_task
from seaway.training.tabular.data import Examples, Prepared, read_examples
from seaway.training.tabular.network import TabularNetwork
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.preprocessing import Preprocessing
from torch.nn import functional

from benchmarks import Row, main
from benchmarks.taking_turns import rates

ROWS, VALIDATION, NUMBERS, REPETITIONS = 100_000, 2_000, 20, 11
SIZES = {"maker": 16, "shop": 3, "city": 100}
PARAMS = TabularParams(
    numeric=tuple(f"x{i}" for i in range(NUMBERS)), categorical=tuple(SIZES), label="returned", epochs=REPETITIONS + 1
)


def measure() -> list[Row]:
    """Two rows: the loop, and the loop on two processes."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "rows.parquet"
        _table().to_parquet(path)
        task = learn_task(path, PARAMS)
        examples = read_examples(path, PARAMS, task)
        preprocessing = Preprocessing(examples)
        ours, theirs = _interleaved(preprocessing, examples, task)
        return [
            Row("training loop", ours, theirs, "rows/s", ">= 0.98x", "higher", "one process, against plain PyTorch"),
            Row(
                "training, 2 processes",
                _two_processes(Path(name), path),
                theirs,
                "rows/s",
                "more than one process",
                "higher",
                "gloo, against plain PyTorch on one process",
            ),
        ]


def _table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=ROWS).astype(np.float32) for name in PARAMS.numeric}
    texts = {name: np.char.add("v", random.integers(0, size, ROWS).astype(str)) for name, size in SIZES.items()}
    return pd.DataFrame({**columns, **texts, "returned": random.integers(0, 2, ROWS).astype(np.int8)})


def _interleaved(preprocessing: Preprocessing, examples: Examples, task: Task) -> tuple[float, float]:
    """Median rows a second of (ours, theirs); the first epoch of each is not counted."""
    rows = Prepared(*preprocessing(examples.categories, examples.numbers), examples.labels)
    data = Data(rows, rows, task)
    networks = [TabularNetwork(preprocessing.vocabularies.sizes, PARAMS, task.width) for _ in range(2)]
    optimizers = [adamw(network, PARAMS) for network in networks]
    worker = Worker(0, 1, torch.device("cpu"))
    return rates(
        lambda epoch: train_epoch(networks[0], optimizers[0], data, PARAMS, 0, epoch, worker),
        lambda _: _plain_epoch(networks[1], optimizers[1], rows),
        ROWS,
        REPETITIONS,
    )


def _plain_epoch(network: torch.nn.Module, optimizer: torch.optim.Optimizer, data: Prepared) -> float:
    """What one would write without any library around PyTorch."""
    network.train()
    order = torch.randperm(ROWS)
    total = 0.0
    for start in range(0, ROWS, PARAMS.batch_size):
        rows = order[start : start + PARAMS.batch_size]
        optimizer.zero_grad()
        logits = network(data.categories[rows], data.numbers[rows]).squeeze(1)
        loss = functional.binary_cross_entropy_with_logits(logits, data.labels[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / ROWS


def _two_processes(folder: Path, path: Path) -> float:
    """Rows a second over whole epochs, with a checkpoint and a small validation each, which the plain loop has not."""
    validation = folder / "validation.parquet"
    _table().head(VALIDATION).to_parquet(validation)
    columns = {"numeric": list(PARAMS.numeric), "categorical": list(PARAMS.categorical), "label": "returned"}
    params = {**columns, "epochs": 4, "patience": 4}
    spec = TrainSpec(path, validation, folder / "output", folder / "checkpoints", params=params, workers=2)
    return TorchrunTrainer().train(spec).metrics["rows_per_second"]


if __name__ == "__main__":
    main(measure)
