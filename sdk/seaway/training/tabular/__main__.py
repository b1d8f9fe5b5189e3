"""`python -m seaway.training.tabular --spec spec.json`, on each process of a training."""

import torch

from seaway.storage import write_json
from seaway.training.command_line import start
from seaway.training.loop import Data, figures, learn, learnt, read_lesson, student
from seaway.training.loop.process_group import joined
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.tabular.data import SAMPLE_ROWS, read_examples, sample_rows
from seaway.training.tabular.export import signature, write_model
from seaway.training.tabular.network import TabularModel, TabularNetwork
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.preprocessing import Preprocessing


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Train and write the output contract."""
    params = TabularParams.parse(spec.params)
    task = learn_task(spec.train, params)
    lesson = read_lesson(spec.train, params, task)
    train, validation = read_examples(spec.train, params, task), read_examples(spec.validation, params, task)
    signed = signature(
        params, task, sample_rows(spec.validation, params, SAMPLE_ROWS)
    )  # refused before the first epoch
    preprocessing = Preprocessing(train)
    torch.manual_seed(spec.seed)
    network = TabularNetwork(preprocessing.vocabularies.sizes, params, task.width)
    with joined() as worker:
        learned = preprocessing.prepared(train, params.noise).to(worker.device)
        judged = preprocessing.prepared(validation).to(worker.device)
        data = Data(learned, judged, task, lesson and lesson.to(worker.device))
        fit = learn(spec, fingerprint, params, student(network, lesson), data, worker)
    if worker.first:
        best = TabularNetwork(preprocessing.vocabularies.sizes, params, task.width)
        best.load_state_dict(learnt(fit.best, lesson))
        write_json(spec.output / "metrics.json", figures(fit, len(train)))  # first: a tuner waits for no more
        write_model(TabularModel(preprocessing, best, task), signed, spec.output)


if __name__ == "__main__":
    start(main, "Train the tabular model; started once a process by torchrun.")
