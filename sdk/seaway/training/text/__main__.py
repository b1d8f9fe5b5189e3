"""`python -m seaway.training.text --spec spec.json`, on each process of a training."""

import shutil
import tempfile
from pathlib import Path

import torch

from seaway.models.preprocessing.text import TOKENIZER_FILE
from seaway.storage import atomic_path, write_json
from seaway.training.command_line import start
from seaway.training.loop import Data, figures, learn
from seaway.training.loop.export import EmbeddingModel
from seaway.training.loop.process_group import joined
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.text.data import read_raw, read_texts
from seaway.training.text.export import signature, write_model
from seaway.training.text.network import TextNetwork, encoder_folder
from seaway.training.text.params import TextParams
from seaway.training.text.tokenizer import vocabulary_size, write_tokenizer


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Train and write the output contract, and `tokenizer.json`."""
    with tempfile.TemporaryDirectory(prefix="seaway-tokenizer-") as folder:
        _train(spec, fingerprint, Path(folder))


def _train(spec: TrainSpec, fingerprint: str, own: Path) -> None:
    """`own` is this process's folder for the tokenizer, which is the same on each."""
    params = TextParams.parse(spec.params)
    task = learn_task(spec.train, params)
    settings = write_tokenizer(read_raw(spec.train, params), params, encoder_folder(params), own)
    train, validation = (read_texts(path, params, task, settings, own) for path in (spec.train, spec.validation))
    shape = (params, task.width, vocabulary_size(own), settings["padding"])
    torch.manual_seed(spec.seed)
    network = TextNetwork(*shape)
    signed = signature(params, task, network.size, read_raw(spec.validation, params), settings, own)
    with joined() as worker:
        data = Data(train.to(worker.device), validation.to(worker.device), task)
        fit = learn(spec, fingerprint, params, network, data, worker)
    if worker.first:
        best = TextNetwork(*shape)
        best.load_state_dict(fit.best)
        with atomic_path(spec.output / TOKENIZER_FILE) as draft:
            shutil.copyfile(own / TOKENIZER_FILE, draft)
        write_json(spec.output / "metrics.json", figures(fit, len(train.labels)))  # first: a tuner waits for no more
        write_model(EmbeddingModel(best, task), params, signed, spec.output)


if __name__ == "__main__":
    start(main, "Train the text model; started once a process by torchrun.")
