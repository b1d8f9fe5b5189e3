"""`python -m seaway.training.vision --spec spec.json`, on each process of a training."""

import torch

from seaway.storage import write_json
from seaway.training.command_line import start
from seaway.training.loop import Data, figures, learn, learnt, read_lesson, student
from seaway.training.loop.export import EmbeddingModel
from seaway.training.loop.process_group import joined
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.vision.data import read_pictures
from seaway.training.vision.export import signature, write_model
from seaway.training.vision.network import VisionNetwork
from seaway.training.vision.params import VisionParams

MEASURED_ROWS = 2_000  # whose pixels tell mean and deviation


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Train and write the output contract."""
    params = VisionParams.parse(spec.params)
    task = learn_task(spec.train, params)
    lesson = read_lesson(spec.train, params, task)
    train, validation = (read_pictures(path, params, task) for path in (spec.train, spec.validation))
    moments = train.moments(MEASURED_ROWS)
    torch.manual_seed(spec.seed)
    network = VisionNetwork(params, task.width, moments)
    signed = signature(params, task, network.size, validation.files)  # refused before the first epoch
    with joined() as worker:
        data = Data(train.to(worker.device), validation.to(worker.device), task, lesson and lesson.to(worker.device))
        fit = learn(spec, fingerprint, params, student(network, lesson), data, worker)
    if worker.first:
        best = VisionNetwork(params, task.width, moments)
        best.load_state_dict(learnt(fit.best, lesson))
        write_json(spec.output / "metrics.json", figures(fit, len(train)))  # first: a tuner waits for no more
        write_model(EmbeddingModel(best, task), params, signed, spec.output)


if __name__ == "__main__":
    start(main, "Train the vision model; started once a process by torchrun.")
