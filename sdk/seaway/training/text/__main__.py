"""`python -m seaway.training.text --spec spec.json`, on each process of a training."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from seaway.models.preprocessing.text import TOKENIZER_FILE
from seaway.storage import atomic_path, write_json
from seaway.training.command_line import start
from seaway.training.loop import Data, figures, learn, learnt, read_lesson, student
from seaway.training.loop.process_group import joined
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.tabular.data import read_examples, sample_rows
from seaway.training.tabular.preprocessing import Preprocessing
from seaway.training.text.data import Texts, read_raw, read_tokens
from seaway.training.text.export import SAMPLE_ROWS, TextModel, signature, write_model
from seaway.training.text.network import TextNetwork, encoder_folder
from seaway.training.text.params import TextParams
from seaway.training.text.tokenizer import vocabulary_size, write_tokenizer
from seaway.training.text.trimming import kept_tokens


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Train and write the output contract, and `tokenizer.json`."""
    with tempfile.TemporaryDirectory(prefix="seaway-tokenizer-") as folder:
        _train(spec, fingerprint, Path(folder))


def _train(spec: TrainSpec, fingerprint: str, own: Path) -> None:
    """`own` is this process's folder for the tokenizer, which is the same on each."""
    params = TextParams.parse(spec.params)
    task = learn_task(spec.train, params)
    lesson = read_lesson(spec.train, params, task)
    files = (spec.train, spec.validation)
    settings = write_tokenizer(read_raw(spec.train, params), params, encoder_folder(params), own)
    columns = [read_examples(path, params, task) for path in files]
    preprocessing = Preprocessing(columns[0])
    tokens = [read_tokens(path, params, settings, own) for path in files]
    train = Texts(tokens[0], preprocessing.prepared(columns[0], params.noise), settings["padding"], params.drop)
    validation = Texts(tokens[1], preprocessing.prepared(columns[1]))
    kept = kept_tokens(encoder, own) if (encoder := encoder_folder(params)) and params.trim else ()
    shape = (params, task.width, vocabulary_size(own), settings["padding"], preprocessing.vocabularies.sizes, kept)
    torch.manual_seed(spec.seed)
    network = TextNetwork(*shape)
    signed = signature(params, task, network.size, _sample(spec.validation, params), settings, own)
    with joined() as worker:
        data = Data(train.to(worker.device), validation.to(worker.device), task, lesson and lesson.to(worker.device))
        fit = learn(spec, fingerprint, params, student(network, lesson), data, worker)
    if worker.first:
        best = TextNetwork(*shape)
        best.load_state_dict(learnt(fit.best, lesson))
        with atomic_path(spec.output / TOKENIZER_FILE) as draft:
            shutil.copyfile(own / TOKENIZER_FILE, draft)
        write_json(spec.output / "metrics.json", figures(fit, len(train.labels)))  # first: a tuner waits for no more
        write_model(TextModel(preprocessing, best, task), params, signed, spec.output)


def _sample(path: Path, params: TextParams) -> dict[str, list[Any]]:
    """The first rows of every input; a missing text is an empty one."""
    texts = [text or "" for text in read_raw(path, params)[:SAMPLE_ROWS]]
    return {params.text: texts, **sample_rows(path, params, SAMPLE_ROWS)}


if __name__ == "__main__":
    start(main, "Train the text model; started once a process by torchrun.")
