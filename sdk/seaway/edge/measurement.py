"""A model for a device, measured: answers, latency and memory of real rows in a process of its own, and its gate."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seaway import tasks
from seaway.edge import port
from seaway.edge.device import Device
from seaway.edge.gate import EdgeGate
from seaway.edge.inputs import edge_arrays
from seaway.edge.package import RUNNER, SCRIPT, EdgePackage, described, runner
from seaway.edge.parity import parity
from seaway.edge.rows import columns, read_inputs
from seaway.edge.runners.measure import timed
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.evaluation import Outcome
from seaway.evaluation import rows as held_out
from seaway.features.project import EVENT_TIME
from seaway.models.loaded import LoadedModel, load
from seaway.models.signature import Array
from seaway.storage import read_json, write_json

FILE, PAGE = "evaluation.json", "edge.html"  # the first as of every evaluation, so that `check_gate` reads it
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")  # no secrets go to the model's process
LAST = 300  # characters of what a process wrote
TIMED_ROWS = 200  # of the original


@dataclass(frozen=True)
class Measurement:
    """A measurement as `evaluation.json` has it, and where it was written."""

    path: Path
    figures: Mapping[str, Any]

    @property
    def outcomes(self) -> list[Outcome]:
        """Of the gate."""
        return [Outcome(**one) for one in self.figures["gate"]["outcomes"]]

    @property
    def metrics(self) -> dict[str, float]:
        """The figures that a dashboard shows, by name; what is not finite is left out."""
        costs, compared = self.figures["figures"], self.figures["parity"]
        flips = compared["flip_rate"]
        found = {
            "size_bytes": self.figures["size_bytes"],
            **{name: costs[name] for name in ("p50_ms", "p99_ms", "peak_memory_bytes")},
            "max_difference": compared["maximum"],
            "flip_rate": flips and flips["value"],
        }
        return {name: float(value) for name, value in found.items() if value is not None}

    @property
    def summary(self) -> str:
        """One line: size, latency, parity, the gate."""
        figures, compared = self.figures["figures"], self.figures["parity"]
        flips = "" if compared["flips"] is None else f"{compared['flips']} of {compared['rows']} rows flip, "
        return (
            f"{self.figures['target']} {self.figures['precision']}: {self.figures['size_bytes'] / 1e6:.3g} MB, "
            f"p50 {figures['p50_ms']:.3g} ms, {flips}gate {'open' if self.figures['gate']['passed'] else 'closed'}"
        )

    @classmethod
    def read(cls, folder: Path) -> "Measurement":
        """Raises: DataUnreadable: the folder holds no measurement."""
        return cls(folder, read_json(folder / FILE))


def measure_edge(
    package: Path,
    model: Path,
    rows: Path,
    output: Path,
    *,
    gate: EdgeGate = EdgeGate(),  # noqa: B008 - frozen
    slices: Sequence[str] = (),
    limit: int = 0,
    threads: int = 1,
    timeout_s: float = 600.0,
    device: str = "",
) -> Measurement:
    """Answer real rows by a target's runtime, and hold answers and costs against the original model.

    Args:
        package: Folder that `export_edge` made, verified.
        model: The model that it was made of.
        rows: Parquet file with every input, and the label where the task's figure is to be compared.
        output: Folder to write `evaluation.json` and `edge.html` into.
        gate: Bounds; a closed gate is a result, not an error.
        slices: Columns to look for the worst slices in.
        limit: At most so many rows, the first; 0 for all.
        threads: That one answer is computed on, in both.
        timeout_s: Seconds that the model's process may take.
        device: `ssh://[user@]host[:port]` that answers; empty for this machine. See `seaway.edge.device`.

    Raises:
        InvalidSpec: the target's runtime does not answer here, or the package is of another model.
        DataUnreadable: rows lack an input, or the model's process ends without an answer.
    """
    found, original = described(package), load(model, threads)
    _check_source(found, model)
    target = original.signature.target
    table = read_inputs(original.signature, rows, {target.label if target else "", *slices, EVENT_TIME})
    table = table.slice(0, limit) if limit else table
    encoded = original.signature.encode(columns(original.signature, table))
    answers, figures = run_apart(found, edge_arrays(found.manifest.inputs, encoded), threads, timeout_s, device)
    name = original.signature.prediction
    place = found.manifest.outputs.index(name)
    task = tasks.of(target) if target else None
    labels = _labels(task, table)
    told: dict[str, Any] = {
        "model": found.manifest.model, "target": found.manifest.target, "precision": found.manifest.precision,
        "kept": list(found.manifest.kept),
        "title": port.named(found.manifest.target).title, "runtime": found.manifest.runtime,
        "size_bytes": found.size, "figures": figures,
        "original": {"size_bytes": _size(model), **_eager(original, encoded)},
        "parity": parity(original.run(encoded)[name], answers[place], task, labels, table, slices).to_json(),
    }  # fmt: skip
    outcomes = gate.check(told)
    told["gate"] = {"passed": all(one.passed for one in outcomes), "outcomes": [asdict(one) for one in outcomes]}
    return _written(Measurement(output, told))


def run_apart(
    package: EdgePackage, arrays: Sequence[Array], threads: int, timeout_s: float, device: str = ""
) -> tuple[list[Array], dict[str, Any]]:
    """The answers of a package's model, [rows, ...] each, and its figures: of a process that holds nothing else.

    Raises:
        InvalidSpec: the target's runtime does not answer here, or `device` is no address.
        DataUnreadable: the process fails, or takes too long.
    """
    target = port.named(package.manifest.target)
    if not device:
        runner(target)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source, copy in ((SCRIPT, SCRIPT), (f"{target.runner}.py", RUNNER)):  # ours, not what came with the model
            shutil.copyfile(Path(__file__).parent / "runners" / source, folder / copy)
        np.savez(folder / "rows.npz", *arrays)
        if device:
            shutil.copytree(package.path, folder / "package")
            words = [SCRIPT, "package", "rows.npz", "out", str(threads)]
            Device.of(device).run(folder, words, "out", timeout_s)
        else:
            paths = [folder / SCRIPT, package.path.absolute(), folder / "rows.npz", folder / "out", threads]
            _run([sys.executable, *map(str, paths)], package, timeout_s)
        with np.load(folder / "out" / "answers.npz", allow_pickle=False) as given:
            answers = [given[f"arr_{place}"] for place in range(len(given.files))]
        return answers, json.loads((folder / "out" / "figures.json").read_text())


def _run(command: Sequence[str], package: EdgePackage, timeout_s: float) -> None:
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise DataUnreadable(
            f"{package.path} did not answer its rows within {timeout_s:g} s; give fewer rows or more time."
        ) from error
    if done.returncode:
        raise DataUnreadable(
            f"{package.path} does not answer by {package.manifest.runtime} (exit code {done.returncode}): "
            f"{' '.join(done.stderr.split())[-LAST:]} See that it is whole, and that this version runs it."
        )


def _check_source(found: EdgePackage, model: Path) -> None:
    from seaway.models.flavours.torch_export import GRAPH_FILE
    from seaway.storage import sha256

    if sha256(model / GRAPH_FILE) != found.manifest.source:
        raise InvalidSpec(
            f"{found.path} was made of another model than {model}, so their answers may differ; export this one."
        )


def _labels(task: tasks.Task | None, table: pa.Table) -> Array | None:
    if task is None or task.target.label not in table.column_names:
        return None
    return task.labels(held_out.column(table, task.target.label), "The rows")


def _eager(original: LoadedModel, encoded: Mapping[str, Array]) -> dict[str, float]:
    """What the original costs, row by row, in this process."""
    count = min(TIMED_ROWS, len(next(iter(encoded.values()))))
    arrays = list(encoded.values())
    _, seconds = timed(original.answer, [[array[row : row + 1] for array in arrays] for row in range(count)])
    return {"p50_ms": 1000 * float(np.quantile(seconds, 0.5)), "p99_ms": 1000 * float(np.quantile(seconds, 0.99))}


def _size(model: Path) -> int:
    from seaway.models.flavours.torch_export import GRAPH_FILE

    return (model / GRAPH_FILE).stat().st_size


def _written(made: Measurement) -> Measurement:
    from seaway.edge.page import write_page

    made.path.mkdir(parents=True, exist_ok=True)
    write_json(made.path / FILE, made.figures)
    write_page([made.figures], made.path / PAGE)
    return made
