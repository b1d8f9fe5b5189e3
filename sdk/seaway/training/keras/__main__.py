"""`python -m seaway.training.keras --spec spec.json`, on each process of a training."""

from seaway.storage import write_json
from seaway.training.command_line import start
from seaway.training.keras.network import KerasNetwork, keras_on_torch
from seaway.training.keras.params import KerasParams
from seaway.training.loop import Data, figures, learn, read_lesson, student
from seaway.training.loop.process_group import joined
from seaway.training.loop.rows import learn_task
from seaway.training.spec import TrainSpec
from seaway.training.tabular.data import SAMPLE_ROWS, read_examples, sample_rows
from seaway.training.tabular.export import signature, write_model
from seaway.training.tabular.network import TabularModel
from seaway.training.tabular.preprocessing import Preprocessing


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Train and write the output contract."""
    params = KerasParams.parse(spec.params)
    task = learn_task(spec.train, params)
    lesson = read_lesson(spec.train, params, task)
    train, validation = read_examples(spec.train, params, task), read_examples(spec.validation, params, task)
    signed = signature(params, task, sample_rows(spec.validation, params, SAMPLE_ROWS))
    preprocessing = Preprocessing(train)
    keras_on_torch().utils.set_random_seed(spec.seed)
    network = KerasNetwork(preprocessing.vocabularies.sizes, params, task.width)
    with joined() as worker:
        learned = preprocessing.prepared(train, params.noise).to(worker.device)
        judged = preprocessing.prepared(validation).to(worker.device)
        data = Data(learned, judged, task, lesson and lesson.to(worker.device))
        fit = learn(spec, fingerprint, params, student(network, lesson), data, worker)
    if worker.first:
        write_json(spec.output / "metrics.json", figures(fit, len(train)))  # first: a tuner waits for no more
        network.load_state_dict(fit.best)  # the same one: Keras numbers the layers of a second one anew
        write_model(TabularModel(preprocessing, network, task), signed, spec.output)


if __name__ == "__main__":
    start(main, "Train a network of Keras; started once a process by torchrun.")
