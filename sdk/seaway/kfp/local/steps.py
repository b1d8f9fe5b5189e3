"""One step of a run to its end: from the cache, or attempt after attempt, and its outputs read and checked."""

import errno
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from google.protobuf import json_format

from seaway.kfp.local import importer
from seaway.kfp.local.cache import Ran, StepCache, unknown
from seaway.kfp.local.executor import OutputUnreadable, executor_input, outputs
from seaway.kfp.local.importer import ImportFailed
from seaway.kfp.local.inputs import Result, artifacts_in
from seaway.kfp.local.orchestrator import Call, told_of
from seaway.kfp.local.placeholders import WORKSPACE_MOUNT, Command
from seaway.kfp.local.run_record import Record, State, Step
from seaway.reporting.usage import GIB, Usage

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # of the state folder: no step can go on, and its record neither
GB = 10**9  # what kfp's older numbers count in
QUANTITY = re.compile(r"([0-9.]+)(m|[KMGTP]i?|k|)")
UNITS = {
    "": 1.0, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip
BACKOFF_FACTOR, LONGEST_S = 2.0, 3600  # of kfp, where a pipeline says nothing


@dataclass(frozen=True)
class Words:
    """What one attempt runs, with all placeholders filled."""

    executor: str  # its label
    image: str
    command: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str]  # variables of its own
    files: Sequence[Path]  # that its artifacts are in
    exiting: bool = False  # whether it runs whatever happened before


Attempt = Callable[[Words, Step], int]  # carries it out, and returns the exit code
Pause = Callable[[float], object]  # for seconds, or until the run is to end


@dataclass(frozen=True)
class Steps:
    """Carries out the steps of one run; what they write is below `folder`."""

    record: Record
    executors: Mapping[str, Any]  # label -> kfp's ExecutorSpec
    folder: Path
    workspace: Path
    job: Mapping[str, str]  # placeholders of the run
    attempt: Attempt
    pause: Pause
    cache: StepCache | None
    opening: threading.Lock = field(default_factory=threading.Lock)  # iterations of loops are in threads

    def __call__(self, call: Call) -> Result:
        """Run the step, or take what it gave before; its failure is the result's reason and in the record.

        Raises:
            KeyboardInterrupt: the run is to end, and the step was ended with it.
        """
        step = self._open(call)
        try:
            found = self._outputs(call, step)
        except (OutputUnreadable, ImportFailed, OSError) as error:  # such as of a folder that a step has locked
            found, step.reason = None, f"{error}."
            if isinstance(error, OSError) and error.errno in FULL:
                raise
        except KeyboardInterrupt as interrupt:
            step.reason = f"It was {interrupt}."
            self._finish(step, "interrupted")
            raise
        except Exception as fault:
            step.reason = f"Seaway failed at it: {type(fault).__name__}: {fault}."
            self._finish(step, "failed")
            raise
        return self._close(step, found)

    def refuse(self, call: Call, reason: str) -> None:
        """Record a task that could not start."""
        step = self._open(call)
        step.reason = f"It could not start: {reason}"
        self._close(step, None)

    def _open(self, call: Call) -> Step:
        taken = [artifact.uri for value in call.inputs.values() for artifact in artifacts_in(value)]
        with self.opening:
            return self.record.open(call.name, call.task.task_info.name or call.name, call.place, taken)

    def _close(self, step: Step, found: Mapping[str, Any] | None) -> Result:
        if found is None:
            self._finish(step, "failed")
            return Result("FAILED", reason=step.reason)
        self._finish(step, "succeeded" if step.attempts else "cached", found)
        return Result("SUCCEEDED", found)

    def _finish(self, step: Step, state: State, found: Mapping[str, Any] = MappingProxyType({})) -> None:
        step.finish(state, dict(found))
        with self.opening:
            self.record.tell(step)

    def _outputs(self, call: Call, step: Step) -> Mapping[str, Any] | None:
        """What the step gives; None where it failed.

        Raises:
            OutputUnreadable, ImportFailed: it gives what cannot be used.
        """
        executor = self.executors[call.component.executor_label]
        if executor.WhichOneof("spec") == "importer":
            step.attempts, step.why = 1, "importers run in each run"
            return importer.run(executor.importer, call, self._command(call, self._place(call)), self.workspace)
        name, step.why = f"{self.record.pipeline}/{call.place}", self._never_reused(call, executor.container)
        if step.why or not self.cache:
            return self._attempts(call, executor.container, step)
        own = call.task.caching_options.cache_key
        try:
            parts = self.cache.parts(call.component, executor.container, call.inputs, own)
            found = self.cache.find(name, parts)
        except OSError as error:
            step.why = f"what it takes, or gave before, cannot be compared: {error}"
            return self._attempts(call, executor.container, step)
        step.why = found.why
        if found.outputs is not None:
            return found.outputs
        made = self._attempts(call, executor.container, step)
        if made is not None:
            ran, aside = Ran(name, step.log, step.begun), (self.workspace.parent,)
            self.cache.put_if_same(ran, parts, executor.container, call.inputs, made, aside)
        return made

    def _never_reused(self, call: Call, container: Any) -> str:
        """Why a step runs whatever was kept; empty where it may be reused."""
        if self.cache is None:
            return "nothing is reused with --no-cache"
        if call.exiting:
            return "exit tasks run in each run"
        if not call.task.caching_options.enable_cache:
            return "its pipeline says that it is not to be reused"
        if _in_workspace(container):
            return f"it names {WORKSPACE_MOUNT}, which each run has anew"
        return unknown(call.inputs)

    def _attempts(self, call: Call, container: Any, step: Step) -> Mapping[str, Any] | None:
        """As many as the task's policy allows."""
        step.usage = asked(container.resources)
        policy, folder = call.task.retry_policy, self._place(call)
        for attempt in range(policy.max_retry_count + 1):
            if attempt:
                self.pause(_pause_s(policy, attempt - 1))
            if self._run(call, container, folder, step) == 0:
                return outputs(call.component, folder)
        return None

    def _run(self, call: Call, container: Any, folder: Path, step: Step) -> int:
        """One attempt, in a folder without what an earlier one left."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        fill = self._command(call, folder)
        environment = {variable.name: fill.text(variable.value) for variable in container.env}
        command, arguments = fill.filled(container.command), fill.filled(container.args)
        files = [path for value in call.inputs.values() for artifact in artifacts_in(value) if (path := artifact.path)]
        label, image = call.component.executor_label, fill.text(container.image)
        return self.attempt(Words(label, image, command, arguments, environment, files, call.exiting), step)

    def _place(self, call: Call) -> Path:
        return self.folder / call.place

    def _command(self, call: Call, folder: Path) -> Command:
        told = executor_input(call.component, call.inputs, folder)
        return Command(told, {**self.job, **told_of(call.name, call.place)}, str(self.workspace))


def _in_workspace(container: Any) -> bool:
    """Whether a step names the workspace itself, so that no input says that it reads or writes there."""
    told = [*container.command, *container.args, *(variable.value for variable in container.env)]
    return any(WORKSPACE_MOUNT in text for text in told)


def asked(resources: Any) -> Usage:
    """What a step's pod would ask for, of kfp's ResourceSpec; a placeholder is not known before the pod is made."""
    cpu = resources.resource_cpu_request or resources.resource_cpu_limit
    memory = resources.resource_memory_request or resources.resource_memory_limit
    gpus = resources.accelerator.resource_count
    return Usage(
        asked_cpu=_amount(cpu) or resources.cpu_request or resources.cpu_limit,
        asked_memory_gib=_amount(memory) / GIB or (resources.memory_request or resources.memory_limit) * GB / GIB,
        asked_gpus=_amount(gpus) or float(resources.accelerator.count),
    )


def _amount(text: str) -> float:
    """A quantity as Kubernetes writes it; zero where it is none."""
    found = QUANTITY.fullmatch(text)
    return float(found[1]) * UNITS[found[2]] if found else 0.0


def _pause_s(policy: Any, attempt: int) -> float:
    """Seconds before the next attempt."""
    longest = policy.backoff_max_duration.seconds or LONGEST_S
    return float(min(policy.backoff_duration.seconds * (policy.backoff_factor or BACKOFF_FACTOR) ** attempt, longest))


def executors_of(spec: Any) -> dict[str, Any]:
    """The executors of a compiled pipeline as kfp's messages."""
    from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig

    found = json_format.MessageToDict(spec.deployment_spec).get("executors", {})
    return {
        label: json_format.ParseDict(executor, PipelineDeploymentConfig.ExecutorSpec())
        for label, executor in found.items()
    }
