"""Training on pictures and texts: Seaway's loop against a plain PyTorch loop, same rows, network, batches, optimizer.

Rows a second, one process and one thread each, epochs interleaved and taking turns to be first. Decoding and tokenizing
are done before, in both; augmentation is left out, since both would call the same function.
"""

import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from seaway.training.loop.epochs import Data, adamw, train_epoch
from seaway.training.loop.process_group import Worker
from seaway.training.loop.rows import learn_task
from seaway.training.tabular.data import read_examples
from seaway.training.tabular.preprocessing import Preprocessing
from seaway.training.text.data import Texts, read_raw, read_tokens
from seaway.training.text.network import TextNetwork
from seaway.training.text.params import TextParams
from seaway.training.text.tokenizer import vocabulary_size, write_tokenizer
from seaway.training.vision.data import read_pictures
from seaway.training.vision.network import VisionNetwork
from seaway.training.vision.params import VisionParams
from torch.nn import functional

from benchmarks import Row, main
from benchmarks.taking_turns import rates

ROWS, CLASSES, REPETITIONS = 1_280, 4, 9
WORDS = [f"word{number}" for number in range(400)]


def measure() -> list[Row]:
    """One row a modality."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as name:
        rows = []
        for modality, prepare in {"vision": _vision, "text": _text}.items():
            network, data, params = prepare(Path(name))
            ours, theirs = _interleaved(network, data, params)
            rows.append(Row(f"{modality} loop", ours, theirs, "rows/s", ">= 0.98x", "higher", "against plain PyTorch"))
        return rows


def _vision(folder: Path) -> tuple[Callable[[], torch.nn.Module], Data, Any]:
    """Grey pictures of 32 x 32 pixels through the small network."""
    random = np.random.default_rng(0)
    files = [_png(random.integers(0, 255, (32, 32), np.uint8)) for _ in range(ROWS)]
    labels = np.array(list("abcd"))[random.integers(0, CLASSES, ROWS)]
    pd.DataFrame({"picture": files, "label": labels}).to_parquet(folder / "pictures.parquet")
    params = VisionParams(image="picture", label="label", size=(32, 32), channels=1, epochs=REPETITIONS + 1)
    task = learn_task(folder / "pictures.parquet", params)
    read = read_pictures(folder / "pictures.parquet", params, task)
    return lambda: VisionNetwork(params, task.width, read.moments(100)), Data(read, read, task), params


def _png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _text(folder: Path) -> tuple[Callable[[], torch.nn.Module], Data, Any]:
    """Texts of 24 words through the small encoder, 32 tokens of each."""
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, 24)) for _ in range(ROWS)]
    labels = np.array(list("abcd"))[random.integers(0, CLASSES, ROWS)]
    file = folder / "texts.parquet"
    pd.DataFrame({"text": texts, "label": labels}).to_parquet(file)
    params = TextParams(text="text", label="label", length=32, epochs=REPETITIONS + 1)
    task = learn_task(file, params)
    settings = write_tokenizer(read_raw(file, params), params, None, folder)
    examples = read_examples(file, params, task)
    read = Texts(read_tokens(file, params, settings, folder), Preprocessing(examples).prepared(examples))
    tokens = vocabulary_size(folder)
    return lambda: TextNetwork(params, task.width, tokens, settings["padding"]), Data(read, read, task), params


def _interleaved(network: Callable[[], torch.nn.Module], data: Data, params: Any) -> tuple[float, float]:
    """Median rows a second of (ours, theirs); the first epoch of each is not counted."""
    torch.manual_seed(0)
    networks = [network() for _ in range(2)]
    optimizers = [adamw(one, params) for one in networks]
    worker = Worker(0, 1, torch.device("cpu"))
    return rates(
        lambda epoch: train_epoch(networks[0], optimizers[0], data, params, 0, epoch, worker),
        lambda _: _plain_epoch(networks[1], optimizers[1], data, params.batch_size),
        ROWS,
        REPETITIONS,
    )


def _plain_epoch(network: torch.nn.Module, optimizer: torch.optim.Optimizer, data: Data, batch_size: int) -> float:
    """What one would write without any library around PyTorch."""
    network.train()
    order, total = torch.randperm(ROWS), 0.0
    for start in range(0, ROWS, batch_size):
        rows = order[start : start + batch_size]
        inputs = data.train.batch(rows, training=True)
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(*inputs), data.train.labels[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / ROWS


if __name__ == "__main__":
    main(measure)
