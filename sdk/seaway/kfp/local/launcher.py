"""Starting an attempt of a step: forked from the run's fork server, in an environment of its own, or in a container."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from seaway.kfp.local import containers, kfp_launcher, reads, step_process
from seaway.kfp.local.events.receivers import SETTING
from seaway.kfp.local.events.trace_ids import traceparent
from seaway.kfp.local.fork_client import Forks
from seaway.kfp.local.plans import Plan
from seaway.kfp.local.run_record import Step
from seaway.kfp.local.steps import Words

INSTALLED = "installed"  # below the scratch folder: what a step of Seaway's image installs by itself
End = Callable[[], object]  # what is left to do when an attempt has ended


@dataclass
class Launcher:
    """Starts the steps of one run; `scratch` is its temporary folder, `artifacts` where they write."""

    run: str
    state_folder: Path
    scratch: Path
    artifacts: Path
    forks: Callable[[], Forks]

    def start(self, words: Words, plan: Plan, step: Step) -> tuple[step_process.Process, End]:
        """Start an attempt; what it prints goes to the step's log.

        Raises:
            OSError: the system does not start it.
        """
        if plan.note and step.attempts == 1:
            step.log.parent.mkdir(parents=True, exist_ok=True)
            step.log.write_text(f"{plan.note}\n", encoding="utf-8")
        if plan.container:
            return self._contained(words, step)
        return self._python(words, plan, step), _nothing

    def _contained(self, words: Words, step: Step) -> tuple[step_process.Process, End]:
        program, _ = containers.program()
        container = containers.Container(program, f"seaway-{self.run}-{step.number}-{step.attempts}", self.run)
        mounts = sorted({self.artifacts, self.scratch, *(file.parent for file in words.files)})
        for folder in mounts:
            folder.mkdir(parents=True, exist_ok=True)
        own = {"SEAWAY_RUN_ID": self.run, **words.environment}
        command = container.command(words.image, words.command, words.arguments, sorted(own), mounts)
        return step_process.start(command, {**os.environ, **own}, step.log), container.remove

    def _python(self, words: Words, plan: Plan, step: Step) -> step_process.Process:
        """Fork where that is the same as starting afresh; libraries of macOS forbid it."""
        command = [*words.command, *words.arguments]
        program = kfp_launcher.program(command)
        if program is None:
            command[0] = sys.executable if command[0] in ("python", "python3") else command[0]
            return step_process.start(command, self.environment(words.environment), step.log)
        if plan.forked and sys.platform == "linux" and not words.environment:
            if forked := self.forks().start(program, step.log):
                return forked
        own = {"_KFP_RUNTIME": "true", **_activated(plan.python), **words.environment}
        return step_process.start(self._command(program, plan.python, step), self.environment(own), step.log)

    def _command(self, program: kfp_launcher.Program, python: str, step: Step) -> list[str]:
        """The words that run a component's source by an interpreter, from a file."""
        file = self.scratch / f"step-{step.number}" / "ephemeral_component.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(program.source, encoding="utf-8")
        interpreter = python or sys.executable
        watched = [reads.__file__, str(reads.file_of(step.log)), "kfp.dsl.executor_main"]
        return [interpreter, *watched, "--component_module_path", str(file), *program.arguments]

    def environment(self, env_vars: Mapping[str, str]) -> dict[str, str]:
        """What a step inherits; it may keep bytecode, or each step would compile its libraries anew (seconds)."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        own = {
            "SEAWAY_HOME": str(self.state_folder),
            "SEAWAY_RUN_ID": self.run,
            **_trace(self.run),
            "TMPDIR": str(self.scratch),  # kfp's launcher leaves a temporary folder for each step
            "PYTHONUNBUFFERED": "1",
            "PIP_TARGET": str(self._installed),
            "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), str(self._installed)])),
        }
        return {**inherited, **env_vars, **own}

    @cached_property
    def _installed(self) -> Path:
        """Where `pip install` of a step puts what it brings: not into the environment of Seaway, nor a kept one."""
        folder = self.scratch / INSTALLED
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
        return folder


def _activated(python: str) -> dict[str, str]:
    """The variables of an environment; none for Seaway's own."""
    if not python:
        return {}
    folder = Path(python).parent
    return {"VIRTUAL_ENV": str(folder.parent), "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def _nothing() -> None:
    """What is left to do after a process: its group is ended by who waits for it."""


def _trace(run: str) -> dict[str, str]:
    """What a step's own spans hang on, where anybody is told of runs."""
    return {"TRACEPARENT": traceparent(run)} if os.environ.get(SETTING) else {}
