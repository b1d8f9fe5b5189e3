"""Training on this machine: N processes by torch.distributed.elastic, one accelerator each where there are any."""

import dataclasses
import fcntl
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from seaway.errors import TrainingFailed
from seaway.platforms.local.training.elastic import STACKS
from seaway.platforms.local.training.launcher_process import Agent, agent
from seaway.signals import sigterm_raises
from seaway.storage import read_json, write_json
from seaway.training.fingerprint import fingerprint
from seaway.training.heartbeat import VARIABLE, Heartbeat, ask, below, silence_s
from seaway.training.result import TrainResult, earlier
from seaway.training.spec import TrainSpec

LOOKS = 10  # for signs of life, in the time without one that ends a training
STACK_LINES, FRAMES = 60, 16  # of each process that hangs, and of each thread of it, in the error
STACK_BEGINS = "(most recent call first):"  # as faulthandler has it
TAIL_LINES = 20  # of the failing rank's log, in the error
END_S = 20.0  # for the workers to end after SIGTERM; elastic kills them after 10
LOOPBACK_INTERFACE = "lo0" if sys.platform == "darwin" else "lo"
log = logging.getLogger(__name__)


class TorchrunTrainer:
    """Runs an entrypoint on `spec.workers` processes; see `seaway.platforms.local.training.elastic`."""

    def train(self, spec: TrainSpec) -> TrainResult:
        """See `seaway.training.Trainer.train`."""
        identity = fingerprint(spec)
        kept = spec.checkpoints / f"{identity['run'][:16]}.finished"
        with _only_one(kept.with_suffix(".lock")):
            _remove_abandoned(spec.checkpoints)
            if (result := earlier([spec.output, kept], identity)) is not None:
                return _reuse(result, spec.output)
            _run(spec, identity["run"], kept.with_suffix(".job"))
            result = TrainResult.read(spec.output)
            result.record(identity)
            result.copy_to(kept)
            return result


def _reuse(result: TrainResult, output: Path) -> TrainResult:
    log.info("Reusing the finished training in %s.", result.path)
    if result.path != output:
        result.copy_to(output)
    return dataclasses.replace(result, path=output)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold a lock, so that two identical runs follow each other; the second resumes from the first one's end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("An identical training is running; waiting for it to end.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_abandoned(checkpoints: Path) -> None:
    """Remove the job folders of trainings that were killed: nobody holds their locks."""
    for job in checkpoints.glob("*.job"):
        with job.with_suffix(".lock").open("w") as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(job, ignore_errors=True)


def _run(spec: TrainSpec, run: str, job: Path) -> None:
    longest = silence_s()
    spec.output.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(job, ignore_errors=True)
    job.mkdir()
    try:
        spec.write(job / "spec.json", run)
        settings = {"entrypoint": spec.entrypoint, "workers": spec.workers, "spec": str(job.absolute() / "spec.json")}
        write_json(job / "job.json", settings)
        with _agent(job.absolute(), spec.workers) as holder:
            code = _wait(holder, job, spec, longest)
        if code != 0:
            raise TrainingFailed(_reason(job, code))
    finally:
        shutil.rmtree(job, ignore_errors=True)


@contextmanager
def _agent(job: Path, workers: int) -> Iterator[Agent]:
    """The process that holds the workers; it and they are gone when this ends, however it ends."""
    holder = agent(job, _environment(workers))
    try:
        with sigterm_raises():
            yield holder
    finally:
        _end(holder)


def _environment(workers: int) -> dict[str, str]:
    """Ours, with traffic between workers kept on loopback, and the cores shared out without spinning on them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = {"OMP_NUM_THREADS": str(max(1, cores // workers)), "OMP_WAIT_POLICY": "PASSIVE"}
    network = {"GLOO_SOCKET_IFNAME": LOOPBACK_INTERFACE, "NCCL_SOCKET_IFNAME": LOOPBACK_INTERFACE}
    path = os.pathsep.join([entry for entry in sys.path if entry])
    return {**threads, **os.environ, **network, "PYTHONPATH": path}


def _wait(holder: Agent, job: Path, spec: TrainSpec, longest: float) -> int:
    """The exit code. Raises: TrainingFailed: it takes longer than its time, or does nothing any more."""
    deadline = time.monotonic() + spec.timeout_s
    heartbeat = Heartbeat((job, spec.output, spec.checkpoints), lambda: below(holder.pid))
    while (code := holder.wait(max(0.0, min(longest / LOOKS, deadline - time.monotonic())))) is None:
        if heartbeat.silent_s() > longest:
            raise TrainingFailed(
                f"The training hangs and was stopped: for {longest:g} s ({VARIABLE}) its processes have neither "
                f"written nor computed anything. Started again, it resumes from its last checkpoint. They stood here:\n"
                f"{_stacks(job, holder)}"
            )
        if time.monotonic() >= deadline:
            raise TrainingFailed(
                f"The training did not end within {spec.timeout_s:g} s and was stopped; raise timeout_s or train on "
                f"less data. Started again, it resumes from its last checkpoint. Its last lines:\n{_tail(job, 0)}"
            )
    return code


def _stacks(job: Path, holder: Agent) -> str:
    """Where each process stands, as Python's faulthandler writes it into its log; before any began, their holder."""
    logs = {path: f"rank {path.parent.name}" for path in sorted(job.glob("logs/*/attempt_*/*/stderr.log"))}
    logs = logs or {job / STACKS: "before any rank began"}
    before = {path: path.stat().st_size for path in logs if path.exists()}
    ask(job, {holder.pid, *(process.pid for process in below(holder.pid))})
    return "\n".join(f"[{logs[path]}]\n{_after(path, start)}" for path, start in before.items())


def _after(path: Path, start: int) -> str:
    """Of each thread, here or in a process below, the last calls; no empty lines, since a reason is one paragraph."""
    lines = filter(str.strip, path.read_bytes()[start:].decode("utf-8", "replace").splitlines())
    return (
        "\n".join(islice(_innermost(lines), STACK_LINES))
        or "(it told nothing: Python had ended in it, or had not begun)"
    )


def _innermost(lines: Iterable[str]) -> Iterator[str]:
    depth = 0
    for line in lines:
        depth = 0 if line.endswith(STACK_BEGINS) else depth + 1
        if depth <= FRAMES:
            yield line


def _end(holder: Agent) -> None:
    """End the agent, which ends its workers, and then whatever is left of its process group."""
    try:
        if holder.wait(0) is None:
            os.kill(holder.pid, signal.SIGTERM)
            if holder.wait(END_S) is None:
                log.warning("The workers do not end within %g s and are killed.", END_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(holder.pid, signal.SIGKILL)
        holder.release()


def _reason(job: Path, code: int) -> str:
    if not (job / "failure.json").is_file():
        return f"The process that holds the training's workers ended with exit code {code}; see the lines before this."
    failure = read_json(job / "failure.json")
    rank = failure["rank"]
    return f"Rank {rank} {ending(failure['exitcode'])}. Its last lines:\n{_tail(job, rank)}"


def ending(exitcode: int) -> str:
    """How a process ended, as the end of a sentence."""
    if exitcode >= 0:
        return f"failed with exit code {exitcode}"
    hint = " (was the machine out of memory?)" if exitcode == -signal.SIGKILL else ""
    return f"was ended by {signal.Signals(-exitcode).name}{hint}"


def _tail(job: Path, rank: int) -> str:
    """The last lines of a rank's errors, or of its output where it wrote no errors."""
    for stream in ("stderr.log", "stdout.log"):
        for path in sorted(job.glob(f"logs/*/attempt_*/{rank}/{stream}")):
            if lines := path.read_text(encoding="utf-8", errors="replace").splitlines():
                return "\n".join(lines[-TAIL_LINES:])
    return "(it wrote nothing)"
