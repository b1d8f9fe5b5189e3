"""`seaway.training.vision` as a subject."""

import torch

from seaway.diagnosis.bundled import of_loop
from seaway.diagnosis.subject import Subject
from seaway.training.loop import Data
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.vision.__main__ import MEASURED_ROWS
from seaway.training.vision.data import read_pictures
from seaway.training.vision.network import VisionNetwork
from seaway.training.vision.params import VisionParams


def subject(spec: TrainSpec) -> Subject:
    """What the trainer would train. Raises: InvalidSpec, DataUnreadable: as the trainer."""
    params = VisionParams.parse(spec.params)
    task = learn_task(spec.train, params)
    train, validation = (read_pictures(path, params, task) for path in (spec.train, spec.validation))
    torch.manual_seed(spec.seed)
    network = VisionNetwork(params, task.width, train.moments(MEASURED_ROWS))
    return of_loop(network, Data(train, validation, task), params, spec.seed)
