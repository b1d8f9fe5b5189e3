"""Run a pipeline on this machine with kfp.local, each step in a process group and a log of its own.

kfp.local 2.17.0 has no public hook: it prints everything, starts steps by a plain `Popen`, and tells cached steps only
in a log line. Three module-level names are replaced while a run lasts, because each is one narrow, named function that
both of kfp.local's orchestrators go through, where parsing its coloured print-out would depend on every message:

- `task_executor.execute_single_task` (once a task): gives task, outputs and status, hence events and the cache state;
- `subprocess_task_handler.run_local_subprocess` (once an attempt): starts the process, hence groups, logs and endings;
- `cache.LocalCache` (once a run): the cache class, hence content checks.

kfp is pinned to the version for which this holds; tests/local/kfp/test_run.py fails where a name moves.
"""

import logging
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from google.protobuf import json_format
from kfp import local
from kfp.local import cache, pipeline_orchestrator, subprocess_task_handler
from kfp.local.orchestrator import task_executor
from kfp.local.status import Status
from kfp.local.subprocess_task_handler import replace_python_executable
from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import RunFailed
from seaway.kfp import compile as compiler
from seaway.kfp import parameters, pipeline_file
from seaway.kfp.fuse.step import origin
from seaway.kfp.local import cleanup, kfp_launcher, preload, step_process
from seaway.kfp.local.cache import VerifiedCache, code_hash
from seaway.kfp.local.fork_client import Forks
from seaway.kfp.local.run_record import Listener, Record, State, Step
from seaway.platforms.home import home

log = logging.getLogger(__name__)

CURRENT_STEP: ContextVar[Step] = ContextVar("CURRENT_STEP")  # a step runs in one thread; loops have several
REPORT = re.compile(r"write-(model-)?report(-\d+)?--report")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
QUIET = (  # kfp.local's remarks on settings that serve the cluster
    "Task '.*': settings .* have no effect in the current local runner",
    "You may be attemping to run a task that uses custom or non-Python base image",
)


class Interrupted(KeyboardInterrupt):
    """A signal ended the run and everything that it started, but for what is `left`, with the reason."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number
        self.left: tuple[str, ...] = ()


def local_run(
    pipeline: str, given: Mapping[str, object], caching: bool = True, listener: Listener = lambda step: None
) -> Record:
    """Run a pipeline (its name, its compiled `.yaml` or its `.py` file) and return the record of the run.

    Raises:
        InvalidSpec: unknown pipeline or parameter, or a value of the wrong type; nothing was started.
        RunFailed: a step failed; the message has its reason and the path of its log.
        Interrupted: SIGINT, SIGTERM or SIGHUP arrived.
    """
    spec = compiler.load(pipeline).spec
    bound = parameters.bind(spec, given)
    record = _open_record(spec, bound, listener)
    run = _Run(record, home(), _preload(spec))
    file, _ = pipeline_file.split(pipeline)
    source = file if file.exists() else None
    with run.in_charge():
        try:
            with _quiet(record.folder / "kfp.log"):
                _initialise(run.state_folder, source, caching)
                pipeline_orchestrator.run_local_pipeline(spec, bound)
        except RuntimeError as error:
            _keep_report(record)
            run.abandon("failed")
            raise _failure(record, error) from error
        except Interrupted as interrupt:
            interrupt.left = run.abandon("interrupted").left
            raise
        except BaseException:
            run.abandon("interrupted" if run.stopping else "failed")
            raise
        _keep_report(record)
        record.close("succeeded")
        run.tidy()
    return record


def _open_record(spec: pipeline_spec_pb2.PipelineSpec, bound: dict[str, Any], listener: Listener) -> Record:
    name = time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)
    folder = home() / "runs" / name
    folder.mkdir(parents=True)
    record = Record(name, spec.pipeline_info.name, folder, bound, _count(spec), listener, process=os.getpid())
    record.write()
    return record


def _count(spec: pipeline_spec_pb2.PipelineSpec) -> int:
    """Steps in the pipeline, one for each body of a loop."""
    dags = [spec.root.dag, *(component.dag for component in spec.components.values())]
    references = [task.component_ref.name for dag in dags for task in dag.tasks.values()]
    return sum(1 for name in references if spec.components[name].executor_label)


def _preload(spec: pipeline_spec_pb2.PipelineSpec) -> list[str]:
    """What the steps of a pipeline will import."""
    containers = [
        one.get("container", {}) for one in json_format.MessageToDict(spec.deployment_spec)["executors"].values()
    ]
    commands = [replace_python_executable(container.get("command", []), sys.executable) for container in containers]
    return preload.imports(found.source for command in commands if (found := kfp_launcher.program(command)))


def _initialise(state_folder: Path, source: Path | None, caching: bool) -> None:
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(state_folder / "artifacts"),
        enable_caching=caching,
        cache_root=str(state_folder / "cache" / code_hash(source)),
    )


def _failure(record: Record, error: RuntimeError) -> RunFailed:
    """Which step failed and why."""
    failed = record.failed
    if failed is None:
        return RunFailed(f"{error} See {record.folder / 'kfp.log'}.", record.folder)
    message = f"Step {failed.title!r} failed. {failed.reason}\nLog: {failed.log}"
    return RunFailed(message, record.folder, step_process.error_of(failed.reason))


def _keep_report(record: Record) -> None:
    """The page of the run, or of its model where the run ended before that."""
    for step in record.steps:
        for name, output in step.outputs.items():
            if REPORT.fullmatch(origin(step.name, name)):
                shutil.copyfile(output["uri"], record.folder / "report.html")


@contextmanager
def _quiet(log_file: Path) -> Iterator[None]:
    """Send what kfp.local prints to a file."""
    with log_file.open("a", encoding="utf-8") as stream, redirect_stdout(stream), warnings.catch_warnings():
        for message in QUIET:
            warnings.filterwarnings("ignore", message)
        yield


@contextmanager
def _replaced(owner: ModuleType, name: str, value: object) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _runs_after_failures(task_spec: Any) -> bool:
    """Whether a task is an exit task, or ignores failures before it."""
    return bool(task_spec.trigger_policy.strategy == task_spec.TriggerPolicy.ALL_UPSTREAM_TASKS_COMPLETED)


@dataclass
class _Run:
    """The processes of a run: started here, and ended here whatever happens."""

    record: Record
    state_folder: Path
    preload: Sequence[str]  # what the steps' fork server imports before they do
    alive: set[step_process.Process] = field(default_factory=set)
    stopping: bool = False
    scratch: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="seaway-")))

    @contextmanager
    def in_charge(self) -> Iterator[None]:
        """Take over kfp.local's three functions and the ending signals."""
        with ExitStack() as stack:
            execute = self._executing(task_executor.execute_single_task)
            stack.enter_context(_replaced(task_executor, "execute_single_task", execute))
            stack.enter_context(_replaced(subprocess_task_handler, "run_local_subprocess", self.run_process))
            stack.enter_context(_replaced(cache, "LocalCache", VerifiedCache))
            stack.enter_context(self._signals())
            yield

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Handle ending signals where Python allows it: in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._interrupt) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        """Pass the signal on to the steps; who asks twice does not want to wait."""
        if self.stopping:
            self._signal_all(signal.SIGKILL)
            return
        self.stopping = True
        self._signal_all(signal.SIGTERM)
        killer = threading.Timer(
            step_process.grace_s(), self._signal_all, [signal.SIGKILL]
        )  # steps of a loop are in threads
        killer.daemon = True
        killer.start()
        raise Interrupted(number)

    def _signal_all(self, number: signal.Signals) -> None:
        for process in list(self.alive):
            step_process.signal_group(process.pid, number)

    def _executing(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap kfp.local's task execution: one step of the record for each task, none after the first failure.

        kfp.local goes on with steps that do not depend on the failed one; who waits for the reason would wait for them.
        """

        def executing(*, task_name: str, task_spec: Any, **others: Any) -> tuple[dict[str, Any], Status]:
            if self.record.failed and not _runs_after_failures(task_spec):
                return {}, Status.FAILURE
            step = self.record.open(task_name, task_spec.task_info.name or task_name)
            token = CURRENT_STEP.set(step)
            try:
                outputs, status = execute(task_name=task_name, task_spec=task_spec, **others)
            finally:
                CURRENT_STEP.reset(token)
            done: State = "succeeded" if step.attempts else "cached"
            step.finish(done if status == Status.SUCCESS else "failed", outputs)
            self.record.tell(step)
            return outputs, status

        return executing

    def run_process(self, full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
        """Run one attempt of the current step; returns its exit code."""
        step = CURRENT_STEP.get()
        step.attempts += 1
        if step.attempts > 1:
            step.state, step.seconds = "retrying", time.monotonic() - step.started
            self.record.tell(step)
        exit_code = self._attempt(full_command, env_vars or {}, step.log)
        if exit_code:
            step.reason = step_process.reason(step.log, exit_code)
        return exit_code

    def _environment(self, env_vars: Mapping[str, str]) -> dict[str, str]:
        """What a step inherits; it may keep bytecode, or each step would compile its libraries anew (seconds)."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        own = {
            "SEAWAY_HOME": str(self.state_folder),
            "SEAWAY_RUN_ID": self.record.run,
            "TMPDIR": str(self.scratch),  # kfp's launcher leaves a temporary folder for each step
            "PYTHONUNBUFFERED": "1",
        }
        return {**inherited, **env_vars, **own}

    @cached_property
    def _forks(self) -> Forks:
        return Forks(self._environment({}), self.preload, self.record.folder / "forkserver.log")

    def _start(self, command: list[str], env_vars: Mapping[str, str], log_file: Path) -> step_process.Process:
        """Fork a step where that is the same as starting it afresh; libraries of macOS forbid it."""
        program = kfp_launcher.program(command) if sys.platform == "linux" and not env_vars else None
        forked = self._forks.start(program, log_file) if program else None
        return forked or step_process.start(command, self._environment(env_vars), log_file)

    def _attempt(self, command: list[str], env_vars: Mapping[str, str], log_file: Path) -> int:
        if self.stopping:
            return 128 + signal.SIGTERM
        process = self._start(command, env_vars, log_file)
        self.alive.add(process)
        try:
            return process.wait()
        finally:
            step_process.end(process)  # also what the step left in its group
            self.alive.discard(process)

    def abandon(self, state: Any) -> cleanup.Ended:
        """End everything that the run started: its endpoints by their adapter, then whatever is left."""
        self.stopping = True
        for process in list(self.alive):
            step_process.end(process)
        self._end_forks()
        ended = cleanup.end_run(self.record.run)
        try:
            self.record.close(state)
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
