"""`python -m seaway.training.pod`: what each pod of a training on a cluster does.

Download the data, check that data and code are those of the step, run the entrypoint's processes under the cluster's
rendezvous, keep checkpoints while they are written, and put the model where the step looks for it. A pod that is
started again does what is left: with the model in its place, nothing.
"""

import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from seaway.entrypoint import run
from seaway.errors import DataUnreadable, InvalidSpec, TrainingFailed
from seaway.signals import sigterm_raises
from seaway.storage import storage_for
from seaway.training.fingerprint import fingerprint
from seaway.training.heartbeat import SILENCE_IN_POD_S, Heartbeat, ask, below, silence_s
from seaway.training.heartbeat import VARIABLE as SILENCE
from seaway.training.pod.checkpoint_sync import Mirror
from seaway.training.pod.job import VARIABLE, RemoteTraining
from seaway.training.pod.rendezvous import Rendezvous
from seaway.training.result import TrainResult
from seaway.training.spec import TrainSpec

LOOK_S = 0.2  # between looks at whether the processes have ended
LOOKS = 10  # for signs of life, in the time without one that ends a training
END_S = 15.0  # for processes to end after SIGTERM
DELIVERY_S = 900.0  # for the pod that writes the model to upload it
log = logging.getLogger("seaway.training.pod")


def main() -> int:
    """Train; the exit code is that of the process that failed first, or 0."""
    training = RemoteTraining.parse(os.environ.get(VARIABLE, ""))
    if storage_for(training.output).exists(training.output):
        log.info("The model is in its place: %s", training.output)
        return 0
    folder = Path(os.environ.get("SEAWAY_SCRATCH", "."))
    spec = _prepare(training, folder)
    code = _run(training, folder, spec)
    if code == 0:
        _deliver(training, spec)
    return code


def _prepare(training: RemoteTraining, folder: Path) -> TrainSpec:
    """Data on local disk, and the file that the entrypoint reads."""
    spec = training.local(folder)
    for uri, path in ((training.train, spec.train), (training.validation, spec.validation)):
        if not path.exists():
            storage_for(uri).download(uri, path)
            log.info("downloaded %s, %.1f MB", uri, path.stat().st_size / 1e6)
    _check(training, fingerprint(spec))
    spec.checkpoints.mkdir(parents=True, exist_ok=True)
    spec.output.mkdir(parents=True, exist_ok=True)
    spec.write(folder / "spec.json", training.fingerprint["run"])
    return spec


def _check(training: RemoteTraining, here: dict[str, str]) -> None:
    """Raises: InvalidSpec, DataUnreadable: code or data are not those that the step took the fingerprint of."""
    parts = [name for name in here if name != "run"]
    differing = {name for name in parts if training.fingerprint.get(name) != here[name]}
    if "code" in differing:
        raise InvalidSpec(
            f"The image has other code of {training.entrypoint} than the step: build the image from the code that "
            f"the pipeline runs, or run the pipeline from the image's code."
        )
    if differing:
        raise DataUnreadable(
            f"{', '.join(sorted(differing))} differ from what the step uploaded: another run writes to "
            f"{training.train.rpartition('/')[0]}; give each run its own id."
        )


def _run(training: RemoteTraining, folder: Path, spec: TrainSpec) -> int:
    longest_s = silence_s(SILENCE_IN_POD_S)
    rendezvous = Rendezvous.read(os.environ)
    rendezvous.await_address()
    commands = rendezvous.commands("seaway.training.pod.worker", ["--spec", str(folder / "spec.json")])
    with Mirror(spec.checkpoints, training.checkpoints).sending(), _processes(commands) as processes:
        heartbeat = Heartbeat((spec.output, spec.checkpoints), lambda: _workers(processes, rendezvous.elastic))
        return _wait(processes, longest_s / LOOKS, lambda: _require_life(heartbeat, folder, longest_s))


def _workers(started: Sequence[subprocess.Popen[bytes]], elastic: bool) -> list[psutil.Process]:
    """What trains: the processes that the pod started and theirs; of torchrun, which looks at its own, only theirs."""
    found = [process for one in started for process in below(one.pid)]
    own = [] if elastic else [psutil.Process(one.pid) for one in started if psutil.pid_exists(one.pid)]
    return list(dict.fromkeys([*own, *found]))


def _require_life(heartbeat: Heartbeat, folder: Path, longest_s: float) -> None:
    """Raises: TrainingFailed: the processes do nothing any more; their stacks are in the log."""
    if heartbeat.silent_s() <= longest_s:
        return
    ask(folder, [process.pid for process in heartbeat.processes()])
    raise TrainingFailed(
        f"The training hangs and is stopped: for {longest_s:g} s ({SILENCE}) the processes of this pod have neither "
        f"written nor computed anything; where they stand is above in its log. Started again, it resumes from its last "
        f"checkpoint."
    )


@contextmanager
def _processes(commands: list[tuple[list[str], dict[str, str]]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The pod's processes; none is left when this ends, be it by SIGTERM."""
    with sigterm_raises():
        processes = [subprocess.Popen(command, env={**os.environ, **variables}) for command, variables in commands]
        try:
            yield processes
        finally:
            _end(processes)


def _wait(processes: list[subprocess.Popen[bytes]], every_s: float, look: Callable[[], None]) -> int:
    """Until all have ended well, or one has not; meanwhile `look` is called now and then."""
    due = time.monotonic() + every_s
    while True:
        codes = [process.poll() for process in processes]
        if failed := next((code for code in codes if code), 0):
            return 128 - failed if failed < 0 else failed
        if None not in codes:
            return 0
        if time.monotonic() > due:
            look()
            due += every_s
        time.sleep(LOOK_S)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    ends = time.monotonic() + END_S
    for process in processes:
        try:
            process.wait(max(0.0, ends - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _deliver(training: RemoteTraining, spec: TrainSpec) -> None:
    """Upload the model, or wait until the pod that has it did: before that no pod ends well.

    So a job whose upload was lost is whole when it begins anew.

    Raises:
        TrainingFailed: the model is incomplete, or does not come.
    """
    storage = storage_for(training.output)
    if any(spec.output.iterdir()):
        TrainResult.read(spec.output).record(training.fingerprint)
        storage.upload(spec.output, training.output)
        log.info("the model is in its place: %s", training.output)
        return
    ends = time.monotonic() + DELIVERY_S
    while not storage.exists(training.output):
        if time.monotonic() > ends:
            raise TrainingFailed(f"No model came to {training.output} in {DELIVERY_S:g} s after the training ended.")
        time.sleep(1)


if __name__ == "__main__":
    run(main)
