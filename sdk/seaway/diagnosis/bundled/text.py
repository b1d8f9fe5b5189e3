"""`seaway.training.text` as a subject."""

import tempfile
from pathlib import Path

import torch

from seaway.diagnosis.bundled import of_loop
from seaway.diagnosis.subject import Subject
from seaway.training.loop import Data
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.text.data import read_raw, read_texts
from seaway.training.text.network import TextNetwork, encoder_folder
from seaway.training.text.params import TextParams
from seaway.training.text.tokenizer import vocabulary_size, write_tokenizer


def subject(spec: TrainSpec) -> Subject:
    """What the trainer would train. Raises: InvalidSpec, DataUnreadable: as the trainer."""
    params = TextParams.parse(spec.params)
    task = learn_task(spec.train, params)
    with tempfile.TemporaryDirectory(prefix="seaway-tokenizer-") as folder:
        own = Path(folder)
        settings = write_tokenizer(read_raw(spec.train, params), params, encoder_folder(params), own)
        train, validation = (read_texts(path, params, task, settings, own) for path in (spec.train, spec.validation))
        torch.manual_seed(spec.seed)
        network = TextNetwork(params, task.width, vocabulary_size(own), settings["padding"])
    return of_loop(network, Data(train, validation, task), params, spec.seed)
