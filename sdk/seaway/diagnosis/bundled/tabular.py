"""`seaway.training.tabular` as a subject."""

import torch

from seaway.diagnosis.bundled import of_loop
from seaway.diagnosis.subject import Subject
from seaway.training.loop import Data
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.tabular.data import read_examples
from seaway.training.tabular.network import TabularNetwork
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.preprocessing import Preprocessing


def subject(spec: TrainSpec) -> Subject:
    """What the trainer would train. Raises: InvalidSpec, DataUnreadable: as the trainer."""
    params = TabularParams.parse(spec.params)
    task = learn_task(spec.train, params)
    read = [read_examples(path, params, task) for path in (spec.train, spec.validation)]
    preprocessing = Preprocessing(read[0])
    train, validation = map(preprocessing.prepared, read)
    torch.manual_seed(spec.seed)
    network = TabularNetwork(preprocessing.vocabularies.sizes, params, task.width)
    columns = (*params.categorical, *params.numeric, *(f"{name} is missing" for name in params.numeric))
    return of_loop(network, Data(train, validation, task), params, spec.seed, columns)
