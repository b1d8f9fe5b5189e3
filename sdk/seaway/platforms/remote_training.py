"""A training whose processes run elsewhere: its data go to a storage that both sides reach, its model comes back."""

import logging
from collections.abc import Callable, Mapping

from seaway.errors import InvalidSpec
from seaway.platforms.home import run_id
from seaway.storage import storage_for
from seaway.training.pod.job import RemoteTraining
from seaway.training.result import TrainResult, earlier
from seaway.training.spec import TrainSpec

STEP = "training"
log = logging.getLogger(__name__)


def below(root: str, spec: TrainSpec, identity: Mapping[str, str], step: str = STEP) -> RemoteTraining:
    """The training with its data and model below this run's URI, and checkpoints that later runs find again."""
    run = f"{root}/runs/{run_id()}/{step}-{identity['run'][:16]}"
    return RemoteTraining.of(spec, identity, run, f"{root}/checkpoints")


def nodes(workers: int, processes: int) -> int:
    """Nodes that `workers` take, so many processes on each. Raises: InvalidSpec: they do not fill the nodes evenly."""
    if workers % processes:
        raise InvalidSpec(
            f"workers={workers} does not fill nodes of {processes} processes (placement.processes_per_node) evenly."
        )
    return workers // processes


def finished(spec: TrainSpec, identity: Mapping[str, str]) -> TrainResult | None:
    """The result of an identical training in the output folder."""
    if (result := earlier([spec.output], identity)) is not None:
        log.info("Reusing the finished training in %s.", result.path)
    return result


def carried_out(spec: TrainSpec, training: RemoteTraining, run: Callable[[], None]) -> TrainResult:
    """Its result, of `run` or of an earlier one whose model is in its place."""
    storage = storage_for(training.output)
    if not storage.exists(training.output):
        send_data(spec, training)
        run()
    storage.download(training.output, spec.output)
    return TrainResult.read(spec.output)


def send_data(spec: TrainSpec, training: RemoteTraining) -> None:
    """Put the data where the processes look for them."""
    storage_for(training.train).upload(spec.train, training.train)
    storage_for(training.validation).upload(spec.validation, training.validation)
