"""`seaway.training.text` as a subject."""

import tempfile
from pathlib import Path

import torch

from seaway.diagnosis.bundled import of_loop
from seaway.diagnosis.subject import Subject
from seaway.training.loop import Data
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.tabular.data import read_examples
from seaway.training.tabular.preprocessing import Preprocessing
from seaway.training.text.data import Texts, read_raw, read_tokens
from seaway.training.text.network import TextNetwork, encoder_folder
from seaway.training.text.params import TextParams
from seaway.training.text.tokenizer import vocabulary_size, write_tokenizer


def subject(spec: TrainSpec) -> Subject:
    """What the trainer would train. Raises: InvalidSpec, DataUnreadable: as the trainer."""
    params = TextParams.parse(spec.params)
    task = learn_task(spec.train, params)
    files = (spec.train, spec.validation)
    columns = [read_examples(path, params, task) for path in files]
    preprocessing = Preprocessing(columns[0])
    with tempfile.TemporaryDirectory(prefix="seaway-tokenizer-") as folder:
        own = Path(folder)
        settings = write_tokenizer(read_raw(spec.train, params), params, encoder_folder(params), own)
        tokens = (read_tokens(path, params, settings, own) for path in files)
        train, validation = (Texts(*each) for each in zip(tokens, map(preprocessing.prepared, columns), strict=True))
        torch.manual_seed(spec.seed)
        sizes = preprocessing.vocabularies.sizes
        network = TextNetwork(params, task.width, vocabulary_size(own), settings["padding"], sizes)
    return of_loop(network, Data(train, validation, task), params, spec.seed)
