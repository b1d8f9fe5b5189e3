"""A part of a run in a process of its own: what an orchestrator other than ours starts of an exported pipeline.

The part goes through the pipeline as a whole run does, but carries out its own steps only; what the others gave is read
from the run's folder, which all parts share. So conditions, inputs of inputs, what a group gives and whether an exit
task is due are decided by the code of a whole run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.kfp.local.artifacts import Artifact
from seaway.kfp.local.graph import runs_always
from seaway.kfp.local.inputs import Result
from seaway.kfp.local.orchestrator import Call
from seaway.storage import read_json, write_json

RUNNING = "RUNNING"


@dataclass
class Part:
    """The steps at `place` among all of a pipeline: one step, a loop or a group; `folder` is the run's.

    Attributes:
        run: The name of the run, the same for all of its parts.
        results: Of the steps that were carried out here, by their places.
    """

    run: str
    place: str
    folder: Path
    results: dict[str, Result] = field(default_factory=dict)
    exiting: bool = False  # whether it runs whatever happened before

    @property
    def records(self) -> Path:
        """The folder of this part's own record and logs."""
        return self.folder / "parts" / self.place.replace("/", ".")

    def ended(self, run: Result) -> str:
        """How it went: failed if one of its steps did, or could not begin because the run had failed already."""
        states = {result.state for result in self.results.values()} or {run.state} - {"SUCCEEDED"}
        return "FAILED" if "FAILED" in states else "SUCCEEDED"

    @property
    def skipped(self) -> bool:
        """Whether none of its steps was due."""
        return not self.results

    def executing(self, execute: Callable[[Call], Result]) -> Callable[[Call], Result]:
        """`execute` for the steps of this part; for others what their own parts have left."""

        def one(call: Call) -> Result:
            if not self._has(call.place):
                return self._read(call.place)
            write_json(self._file(call.place), {"state": RUNNING})
            result = execute(call)
            self._keep(call.place, result)
            return result

        return one

    def refusing(self, refuse: Callable[[Call, str], None]) -> Callable[[Call, str], None]:
        """`refuse` for the tasks of this part that could not start."""

        def one(call: Call, reason: str) -> None:
            if self._has(call.place):
                refuse(call, reason)
                self.results[call.place] = Result("FAILED", reason=reason)

        return one

    def labels(self, spec: Any) -> set[str]:
        """The executors of its steps. Raises: InvalidSpec: the pipeline has no such place."""
        dag = spec.root.dag
        component = None
        for name in self.place.split("/"):
            if name not in dag.tasks:
                known = ", ".join(sorted(dag.tasks)) or "no tasks"
                raise InvalidSpec(
                    f"{spec.pipeline_info.name} has no {self.place!r}: there is no {name} among {known}; places are "
                    "written as GROUP/TASK."
                )
            self.exiting = self.exiting or runs_always(dag.tasks[name])
            component = spec.components[dag.tasks[name].component_ref.name]
            dag = component.dag
        return set(_labels(spec, component))

    def _has(self, place: str) -> bool:
        return place == self.place or place.startswith(f"{self.place}/")

    def _keep(self, place: str, result: Result) -> None:
        self.results[place] = result
        outputs = {name: _written(value) for name, value in result.outputs.items()}
        write_json(self._file(place), {"state": result.state, "reason": result.reason, "outputs": outputs})

    def _read(self, place: str) -> Result:
        """What another part has left; one that has not ended counts as one that does not run.

        Whoever is told how the run ended begins when all have: what still says that it runs was ended by force.
        """
        file = self._file(place)
        told: dict[str, Any] = read_json(file) if file.is_file() else {"state": ""}
        if told["state"] == RUNNING and self.exiting:
            return Result("FAILED", reason=f"{place} was ended before its end")
        if told["state"] in ("", RUNNING):
            return Result("SKIPPED")
        return Result(told["state"], {name: _made(value) for name, value in told["outputs"].items()}, told["reason"])

    def _file(self, place: str) -> Path:
        return self.folder / "results" / f"{place}.json"


def _labels(spec: Any, component: Any) -> Iterator[str]:
    if component.executor_label:
        yield component.executor_label
    for task in component.dag.tasks.values():
        yield from _labels(spec, spec.components[task.component_ref.name])


def _written(value: Any) -> dict[str, Any]:
    """An output as JSON that says whether it is an artifact, several, or a value that may look like one."""
    if isinstance(value, list) and value and all(isinstance(item, Artifact) for item in value):
        return {"artifacts": [vars(item) for item in value]}
    return {"artifact": vars(value)} if isinstance(value, Artifact) else {"value": value}


def _made(told: Mapping[str, Any]) -> Any:
    if "artifacts" in told:
        return [Artifact(**item) for item in told["artifacts"]]
    return Artifact(**told["artifact"]) if "artifact" in told else told["value"]
