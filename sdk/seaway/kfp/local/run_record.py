"""What a local run tells while it runs and leaves behind: events for a listener, `run.json` for everybody else."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from seaway.kfp.local.artifacts import Artifact
from seaway.reporting.usage import Usage
from seaway.storage import write_json

State = Literal["running", "retrying", "cached", "succeeded", "failed", "interrupted"]
WRITTEN = (
    *("run", "pipeline", "source", "arguments", "total", "state", "reason", "begun", "seconds"),
    *("process", "process_started"),
)
LONGEST_FIGURE = 1000  # characters; a text that a step gives may have millions


@dataclass
class Step:
    """One step of a run, as it is now."""

    number: int
    name: str
    title: str  # the display name
    log: Path
    state: State = "running"
    seconds: float = 0.0
    attempts: int = 0
    figure: str = ""  # the key figure: the main artifact's metadata["summary"]
    why: str = ""  # why it ran, or was reused
    reason: str = ""  # why it failed, one paragraph
    outputs: dict[str, Any] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)  # URIs of the artifacts that it takes
    place: str = ""  # among all tasks of the run, such as `loop-1/iteration-0/train`
    begun: float = field(default_factory=time.time)  # seconds since 1970
    usage: Usage = field(default_factory=Usage)  # what it asked for and used, all attempts together
    started: float = field(default_factory=time.monotonic, repr=False)

    def finish(self, state: State, outputs: dict[str, Any]) -> None:
        """Close the step with its outputs and key figure."""
        self.state = state
        self.seconds = time.monotonic() - self.started
        self.outputs = {name: _plain(value) for name, value in outputs.items()}
        figure = _figure(self.outputs)
        self.figure = figure if len(figure) <= LONGEST_FIGURE else f"{figure[:LONGEST_FIGURE]}..."

    def plain(self) -> dict[str, Any]:
        """The step as JSON."""
        own = {name: value for name, value in vars(self).items() if name != "started"}
        return {**own, "log": str(self.log), "usage": self.usage.plain()}


Listener = Callable[[Step], None]


@dataclass
class Record:
    """A run: told to the listener and written to `run.json` at every change, so that a crash loses nothing."""

    run: str
    pipeline: str
    folder: Path
    arguments: dict[str, Any]
    total: int
    listener: Listener
    state: Literal["running", "succeeded", "failed", "interrupted"] = "running"
    reason: str = ""  # what ended it before its end, but for a step that failed
    begun: float = field(default_factory=time.time)  # seconds since 1970
    seconds: float = 0.0
    process: int = 0  # pid of the runner
    process_started: float = field(default_factory=lambda: psutil.Process().create_time())  # seconds since 1970
    steps: list[Step] = field(default_factory=list)
    source: str = ""  # what was asked to be run: a name, or an absolute path
    started: float = field(default_factory=time.monotonic, repr=False)

    def open(self, name: str, title: str, place: str = "", taken: Iterable[str] = ()) -> Step:
        """A step that starts now."""
        number = len(self.steps) + 1
        step = Step(number, name, title, self.folder / "steps" / f"{number:02d}-{name}.log", place=place)
        step.taken = list(dict.fromkeys(taken))
        self.steps.append(step)
        self.tell(step)
        return step

    def tell(self, step: Step) -> None:
        """Pass a step's change on."""
        self.write()
        self.listener(step)

    def close(self, state: Literal["succeeded", "failed", "interrupted"], reason: str = "") -> None:
        """End the run, and with it what was still running."""
        self.state, self.reason = state, reason
        self.seconds = time.monotonic() - self.started
        for step in self.steps:
            if step.state in {"running", "retrying"}:
                step.finish("interrupted", {})
                self.listener(step)
        self.write()

    def write(self) -> None:
        """Write `run.json`."""
        content = {name: getattr(self, name) for name in WRITTEN}
        write_json(self.folder / "run.json", {**content, "steps": [step.plain() for step in self.steps]})


def _plain(value: Any) -> Any:
    """An output as JSON: an artifact by its type, uri and metadata."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.plain() if isinstance(value, Artifact) else value


def _figure(outputs: dict[str, Any]) -> str:
    """The first summary among the artifacts' metadata, else the scalar outputs."""
    artifacts = [value for value in outputs.values() if isinstance(value, dict) and "metadata" in value]
    for artifact in artifacts:
        if summary := artifact["metadata"].get("summary"):
            return str(summary)
    scalars = [
        str(value) if name == "Output" else f"{name} {value}"  # KFP's name for a result without one
        for name, value in outputs.items()
        if isinstance(value, str | int | float | bool)
    ]
    return ", ".join(scalars)
