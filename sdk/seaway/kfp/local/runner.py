"""Run a pipeline on this machine, each step in a process group and a log of its own.

The compiled file is what is run, by an orchestrator of our own: kfp.local 2.17 evaluates conditions as Python text,
holds whole numbers in doubles, writes two uses of a component into one folder, stops exit tasks that are pipelines, and
has no hook by which a step could be started, told of or reused otherwise. The steps' side of the protocol is kfp's.
"""

import errno
import logging
import math
import os
import re
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import RunFailed
from seaway.kfp import arguments, pipeline_file
from seaway.kfp import compile as compiler
from seaway.kfp.fuse.step import origin
from seaway.kfp.local import cleanup, events, kfp_launcher, plans, preload, step_process
from seaway.kfp.local.cache import StepCache
from seaway.kfp.local.fork_client import Forks
from seaway.kfp.local.inputs import Result
from seaway.kfp.local.job_placeholders import told_of_run
from seaway.kfp.local.launcher import Launcher
from seaway.kfp.local.limits import OVERDUE, Limit, Overdue
from seaway.kfp.local.orchestrator import Orchestrator
from seaway.kfp.local.part import Part
from seaway.kfp.local.run_record import Listener, Record, Step
from seaway.kfp.local.run_state import PIPELINE
from seaway.kfp.local.steps import Steps, Words, executors_of
from seaway.platforms.home import home

log = logging.getLogger(__name__)

REPORT = re.compile(r"write-(model-)?report(-\d+)?--report")
NOT_STARTED = 126  # a shell's exit code for what it cannot start
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal ended the run and everything that it started, but for what is `left`, with the reason."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number
        self.again = 0  # the signal that did not wait for exit tasks
        self.left: tuple[str, ...] = ()
        self.folder: Path | None = None  # of the run's record

    def __str__(self) -> str:
        told = super().__str__()
        return f"{told}, then by {signal.Signals(self.again).name}" if self.again else told


def local_run(
    pipeline: str,
    given: Mapping[str, object],
    caching: bool = True,
    listener: Listener = lambda step: None,
    part: Part | None = None,
) -> Record:
    """Run a pipeline (its name, its compiled `.yaml` or its `.py` file) and return the record of the run.

    With `part` only that of it is carried out; others are, or have been, by processes of their own.

    Raises:
        InvalidSpec: unknown pipeline or parameter, or a value of the wrong type; nothing was started.
        RunFailed: a step failed; the message has its reason and the path of its log.
        Interrupted: SIGINT, SIGTERM or SIGHUP arrived.
    """
    told = events.receivers()
    compiled = compiler.load(pipeline)
    spec, executors = compiled.spec, executors_of(compiled.spec)
    bound = arguments.bind(spec, given)
    used = part.labels(spec) if part else set(executors)
    ours = {label: executor for label, executor in executors.items() if label in used}
    planned = plans.plans(compiled, ours, home() / "environments")
    record = _open_record(pipeline, compiled, bound, listener, part)
    run = _Run(record, home(), _preload(ours, planned), planned, plans.limit_s(compiled), part)
    with events.published(record, told, whole=part is None), run.signals():
        try:
            result = _carry_out(spec, executors, run, StepCache(home() / "cache") if caching else None)
        except Interrupted as interrupt:
            interrupt.left = run.abandon("interrupted", str(interrupt)).left
            interrupt.folder = record.folder
            raise
        except BaseException as fault:
            reason = f"{type(fault).__name__}: {fault}"
            run.abandon("interrupted" if run.interrupt else "failed", str(run.interrupt or reason))
            raise
        _keep_report(record)
        if (part.ended(result) if part else result.state) == "FAILED":
            run.abandon("failed")
            raise _failure(record, result)
        record.close("succeeded")
        run.tidy()
    return record


def _carry_out(
    spec: pipeline_spec_pb2.PipelineSpec, executors: Mapping[str, Any], run: "_Run", cache: StepCache | None
) -> Result:
    """All steps of the pipeline, in an order in which they can run. Raises: Interrupted, once exit tasks have run."""
    record, job = run.record, told_of_run(spec, run.record.run, run.state_folder, run.workspace)
    run.workspace.mkdir(exist_ok=bool(run.part))
    steps = Steps(record, executors, run.artifacts, run.workspace, job, run.attempt, run.ending.wait, cache)
    execute = run.part.executing(steps) if run.part else steps
    refuse = run.part.refusing(steps.refuse) if run.part else steps.refuse
    with run.interruptible():
        result = Orchestrator(spec.components, job, execute, refuse).run(spec.root, record.arguments)
    if run.interrupt:
        raise run.interrupt
    return result


def _open_record(
    pipeline: str, compiled: compiler.Compiled, bound: dict[str, Any], listener: Listener, part: Part | None
) -> Record:
    """The record of a run, or of a part of one, with what it runs beside it."""
    name = part.run if part else time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)
    folder = part.records if part else home() / "runs" / name
    folder.mkdir(parents=True, exist_ok=bool(part))
    (folder / PIPELINE).write_text(compiled.text, encoding="utf-8")
    total, source = _count(compiled.spec), pipeline_file.absolute(pipeline)
    record = Record(name, compiled.name, folder, bound, total, listener, process=os.getpid(), source=source)
    record.write()
    return record


def _count(spec: pipeline_spec_pb2.PipelineSpec) -> int:
    """Steps in the pipeline, one for each body of a loop."""
    dags = [spec.root.dag, *(component.dag for component in spec.components.values())]
    references = [task.component_ref.name for dag in dags for task in dag.tasks.values()]
    return sum(1 for name in references if spec.components[name].executor_label)


def _preload(executors: Mapping[str, Any], planned: Mapping[str, plans.Plan]) -> list[str]:
    """What the steps that are forked will import."""
    containers = [executor.container for label, executor in executors.items() if planned[label].forked]
    programs = [kfp_launcher.program([*container.command, *container.args]) for container in containers]
    return preload.imports(program.source for program in programs if program)


def _failure(record: Record, result: Result) -> RunFailed:
    """Which step failed and why; of a part of a run it may be one of another part."""
    failed = next((step for step in record.steps if step.state == "failed"), None)
    if failed is None:
        return RunFailed(f"Another step of this run has failed, so this one is not started: {result.reason}",
                         record.folder)  # fmt: skip
    message = f"Step {failed.title!r} failed. {failed.reason}\nLog: {failed.log}"
    return RunFailed(message, record.folder, step_process.error_of(failed.reason))


def _keep_report(record: Record) -> None:
    """The page of the run, or of its model where the run ended before that."""
    for step in record.steps:
        for name, output in step.outputs.items():
            if REPORT.fullmatch(origin(step.name, name)):
                shutil.copyfile(output["uri"], record.folder / "report.html")


def _advice(error: OSError, words: Words) -> str:
    """What to do where a step cannot be started; its inputs, metadata among them, are words of its command line."""
    if error.errno != errno.E2BIG:
        return ""
    given = max(map(len, words.arguments), default=0)
    return f" ({given} characters of inputs and their metadata); pass what is large in the file of an artifact"


def _signal(processes: Sequence[step_process.Process], number: signal.Signals) -> None:
    for process in processes:
        step_process.signal_group(process.pid, number)


@dataclass
class _Run:
    """The processes of a run: started here, and ended here whatever happens."""

    record: Record
    state_folder: Path
    preload: Sequence[str]  # what the steps' fork server imports before they do
    planned: Mapping[str, plans.Plan]  # how the steps of each executor are run
    limit_s: float = math.inf  # that the pipeline gives to the run, but for exit tasks
    part: Part | None = None  # of the run, which is all that is carried out here
    alive: set[step_process.Process] = field(default_factory=set)
    interrupt: Interrupted | None = None  # by a signal: nothing but exit tasks starts any more
    over: bool = False  # not even they
    raising: bool = False  # whether a signal ends what the main thread does
    ending: threading.Event = field(default_factory=threading.Event)  # set by the signal: no need to wait any longer
    scratch: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="seaway-")))

    @property
    def workspace(self) -> Path:
        """What the steps of a pipeline share, where it asks for that; it ends with the run, but for parts of one."""
        return (self.part.folder if self.part else self.scratch) / "workspace"

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Handle ending signals where Python allows it, in the main thread; what nohup has ignored stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._interrupt) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def interruptible(self, yes: bool = True) -> Iterator[None]:
        """Raise a signal as soon as it arrives, where it is raised in the main thread; or not at all.

        What ends a run is not cut short, and what is just started is not lost sight of.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before, self.raising = self.raising, yes
        try:
            yield
        finally:
            self.raising = before

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        """Pass the signal on to the steps; who asks twice does not want to wait, for exit tasks neither."""
        alive = list(self.alive)
        if self.over or self.interrupt:
            if self.interrupt and not self.over:
                self.interrupt.again = number
            self.over = True
            _signal(alive, signal.SIGKILL)
            return
        self.interrupt = Interrupted(number)
        self.ending.set()
        _signal(alive, signal.SIGTERM)
        killer = threading.Timer(step_process.grace_s(), self._kill, (alive,))  # of loops, in threads
        killer.daemon = True
        killer.start()
        if self.raising:
            raise self.interrupt

    def _kill(self, processes: Sequence[step_process.Process]) -> None:
        """Kill those that are still there: the number of one that has ended may be another's by now."""
        _signal([process for process in processes if process in self.alive], signal.SIGKILL)

    def _require_going(self, words: Words) -> None:
        """Raises: Interrupted: the step may not start any more, or was ended by the signal that came."""
        if self.over or (self.interrupt and not words.exiting):
            by = (self.interrupt.again or self.interrupt.number) if self.interrupt else signal.SIGTERM
            raise Interrupted(by)

    def attempt(self, words: Words, step: Step) -> int:
        """Run one attempt of a step; returns its exit code."""
        step.attempts += 1
        if step.attempts > 1:
            step.state, step.seconds = "retrying", time.monotonic() - step.started
            self.record.tell(step)
        try:
            exit_code = self._attempt(words, step)
        except OSError as error:
            step.reason = f"The system does not start it: {error.strerror or error}{_advice(error, words)}."
            return NOT_STARTED
        except Overdue as overdue:
            step.reason = f"{overdue}."
            return OVERDUE
        if exit_code:
            step.reason = step_process.reason(step.log, exit_code)
        return exit_code

    @property
    def artifacts(self) -> Path:
        """Where the steps of this run write."""
        return self.state_folder / "artifacts" / f"{self.record.pipeline}-{self.record.run}"

    @cached_property
    def _launcher(self) -> Launcher:
        return Launcher(self.record.run, self.state_folder, self.scratch, self.artifacts, lambda: self._forks)

    @cached_property
    def _forks(self) -> Forks:
        return Forks(self._launcher.environment({}), self.preload, self.record.folder / "forkserver.log")

    def _attempt(self, words: Words, step: Step) -> int:
        self._require_going(words)
        plan = self.planned[words.executor]
        limit = self._limit(words, plan)
        limit.require()
        with self.interruptible(False):
            process, end = self._launcher.start(words, plan, step)
            self.alive.add(process)
        try:
            self._require_going(words)
            with limit.of(process):
                exit_code = process.wait()
        finally:
            step_process.end(process)  # also what the step left in its group
            self.alive.discard(process)
            if (used := process.used) and not plan.container:  # there it is the client's, not the container's
                step.usage = step.usage.more(used.cpu_seconds, used.memory_gib)
            end()
        self._require_going(words)
        return exit_code

    def _limit(self, words: Words, plan: plans.Plan) -> Limit:
        """What the step and the run have left, whichever is less; exit tasks have their own time alone."""
        left_s = math.inf if words.exiting else self.record.started + self.limit_s - time.monotonic()
        told = "Its time is over: its pipeline gives"
        return min(
            Limit(plan.limit_s, f"{told} it {plan.limit_s:.0f} s"), Limit(left_s, f"{told} a run {self.limit_s:.0f} s")
        )

    def abandon(self, state: Any, reason: str = "") -> cleanup.Ended:
        """End everything that the run started: its endpoints by their adapter, then whatever is left.

        A part ends its own processes only: others of the run go on, and exit tasks want what they left.
        """
        self.over = True
        for process in list(self.alive):
            step_process.end(process)
        self._end_forks()
        ended = cleanup.Ended(self.record.run, (), ()) if self.part else cleanup.end_run(self.record.run)
        try:
            self.record.close(state, reason)
        finally:
            self.tidy()
        return ended

    def _end_forks(self) -> None:
        if "_forks" in vars(self):
            self._forks.close()

    def tidy(self) -> None:
        """End the fork server; remove the temporary folder, but not under a process that still serves."""
        self._end_forks()
        if not step_process.processes_of(self.record.run):
            shutil.rmtree(self.scratch, ignore_errors=True)
            return
        for program in self.scratch.glob("*/ephemeral_component.py"):
            shutil.rmtree(program.parent, ignore_errors=True)
