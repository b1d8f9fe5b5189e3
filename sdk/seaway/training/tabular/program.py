"""What a trainer of tables does, whoever made its network: read, learn beside the other processes, write the model."""

from collections.abc import Callable, Sequence

from torch import nn

from seaway.storage import write_json
from seaway.training.loop import Data, figures, learn, learnt, read_lesson, student
from seaway.training.loop.process_group import joined
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.tabular.data import SAMPLE_ROWS, read_examples, sample_rows
from seaway.training.tabular.export import signature, write_model
from seaway.training.tabular.network import TabularModel
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.preprocessing import Preprocessing

Made = Callable[[Sequence[int], int], nn.Module]  # of the vocabularies' sizes and the outputs' width


def train_table(
    spec: TrainSpec, fingerprint: str, params: TabularParams, made: Made, again: Made | None = None
) -> None:
    """Train and write the output contract.

    Args:
        spec: What is trained.
        fingerprint: Of the run.
        params: Columns, task and optimisation.
        made: Gives the network, its first weights drawn by the spec's seed.
        again: Gives one for the best weights, for a network that was divided is not whole; None takes the trained one.
    """
    task = learn_task(spec.train, params)
    lesson = read_lesson(spec.train, params, task)
    train, validation = read_examples(spec.train, params, task), read_examples(spec.validation, params, task)
    signed = signature(
        params, task, sample_rows(spec.validation, params, SAMPLE_ROWS)
    )  # refused before the first epoch
    preprocessing = Preprocessing(train)
    sizes = preprocessing.vocabularies.sizes
    network = made(sizes, task.width)
    with joined() as worker:
        learned = preprocessing.prepared(train, params.noise).to(worker.device)
        judged = preprocessing.prepared(validation).to(worker.device)
        data = Data(learned, judged, task, lesson and lesson.to(worker.device))
        fit = learn(spec, fingerprint, params, student(network, lesson), data, worker)
    if worker.first:
        best = again(sizes, task.width) if again else network
        best.load_state_dict(learnt(fit.best, lesson))
        write_json(spec.output / "metrics.json", figures(fit, len(train)))  # first: a tuner waits for no more
        write_model(TabularModel(preprocessing, best, task), signed, spec.output)
