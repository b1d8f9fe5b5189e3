"""Eight bits where they do no harm: layers stay in float32 until what is lost is less than a bound.

The layers are ranked once by the harm that rounding does to each alone; then as few of the first as suffice are kept,
found by doubling and bisection (so that a hundred layers take a dozen conversions), and every attempt is the converted
model itself, answering real rows by the target's own runtime.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway import tasks
from seaway.edge import package, port
from seaway.edge.gate import EdgeGate
from seaway.edge.package import EdgePackage, calibration_rows, export_edge
from seaway.edge.parity import parity
from seaway.edge.rows import columns, read_inputs
from seaway.errors import InvalidSpec
from seaway.evaluation import Outcome, require_open
from seaway.evaluation import rows as held_out
from seaway.models import Signature
from seaway.models.loaded import load

LOST = ("max_loss", "max_flips", "max_difference")  # rules of the gate that a layer in float can meet


@dataclass(frozen=True)
class Attempt:
    """One conversion: the layers that it kept in float32, its bytes, and the gate's rules."""

    kept: tuple[str, ...]
    size: int
    outcomes: Sequence[Outcome]

    @property
    def passed(self) -> bool:
        return all(one.passed for one in self.outcomes)


@dataclass(frozen=True)
class Quantized:
    """The smallest attempt that met the bound, its package, and all attempts in their order.

    `found` is how its answers differ, as `Parity.to_json` has it.
    """

    package: EdgePackage
    attempts: Sequence[Attempt]
    layers: int
    found: dict[str, Any]

    @property
    def metrics(self) -> dict[str, float]:
        """The figures that a dashboard shows, by name; what is not there or not finite is left out."""
        flips, metric = self.found["flip_rate"], self.found["metric"]
        told = {
            "size_bytes": self.package.size,
            "layers": self.layers,
            "layers_in_float32": len(self.package.manifest.kept),
            "attempts": len(self.attempts),
            "max_difference": self.found["maximum"],
            "flip_rate": flips and flips["value"],
            "difference": metric and metric["difference"]["value"],
        }
        return {name: float(value) for name, value in told.items() if value is not None}

    @property
    def summary(self) -> str:
        """One line: size, layers in float, attempts."""
        manifest = self.package.manifest
        return (
            f"{manifest.target} {manifest.precision}: {self.package.size / 1e6:.3g} MB, {len(manifest.kept)} of "
            f"{self.layers} layers in float32, {len(self.attempts)} attempt(s)"
        )


def quantize_model(
    model: Path,
    target: str,
    output: Path,
    key: Path,
    calibration: Path,
    rows: Path,
    *,
    precision: str = port.INT8_STATIC,
    gate: EdgeGate = EdgeGate({"max_loss": 0.01}),  # noqa: B008 - frozen
    reference: Path | None = None,
    limit: int = 0,
) -> Quantized:
    """Convert a model in eight bits for a target, with as few layers in float32 as the gate asks for.

    Args:
        model: Package, or trained model, of a graph of torch.export.
        target: Name of one of `seaway.edge.every()`.
        output: Folder of the signed package, replaced whole.
        key: Private EC key in PEM.
        calibration: Parquet file of training rows.
        rows: Parquet file of validation rows, with the label where `max_loss` is asked for.
        precision: One of the target's that has eight bits.
        gate: Of the rules `max_loss`, `max_flips` and `max_difference`.
        reference: Model that answers are held against; None for `model` itself.
        limit: At most so many rows, the first; 0 for all.

    Raises:
        GateClosed: not even all layers in float32 meet it; nothing is written.
        InvalidSpec: another rule, or a precision without eight bits; else as `export_edge`.
    """
    if strange := sorted(set(gate.rules) - set(LOST)):
        raise InvalidSpec(f"Layers in float32 do not help with {', '.join(strange)}; give {', '.join(LOST)}.")
    if precision == port.FLOAT32:
        raise InvalidSpec("float32 is no quantization; give int8-static, int8-dynamic or int8-weights.")
    answered = _Answered.of(reference or model, rows, limit)
    ranking = _ranking(model, calibration)
    with tempfile.TemporaryDirectory(prefix="seaway-quantized-") as name:
        attempts: dict[int, tuple[Attempt, EdgePackage, dict[str, Any]]] = {}

        def passes(count: int) -> bool:
            made = export_edge(model, target, Path(name) / str(count), key, precision, calibration, ranking[:count])
            found = answered.parity(made)
            attempt = Attempt(tuple(ranking[:count]), made.size, gate.check({"parity": found}))
            attempts[count] = attempt, made, found
            return attempt.passed

        count = fewest(passes, len(ranking))
        if count is None:
            require_open(attempts[len(ranking)][0].outcomes)
        assert count is not None  # noqa: S101 - else the gate is closed
        _, made, found = attempts[count]
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(made.path, output)
    return Quantized(package.described(output), [one for one, _, _ in attempts.values()], len(ranking), found)


def fewest(passes: Callable[[int], bool], most: int) -> int | None:
    """The least count from 0 to `most` that passes, if more never does worse; None where not even `most` does."""
    failed, count = -1, 0
    while not passes(count):
        if count == most:
            return None
        failed, count = count, min(max(1, 2 * count), most)
    while count - failed > 1:
        middle = (failed + count) // 2
        failed, count = (failed, middle) if passes(middle) else (middle, count)
    return count


def _ranking(model: Path, calibration: Path) -> list[str]:
    from seaway.edge.form import edge_form
    from seaway.edge.layers import ranked
    from seaway.models.flavours.torch_export import GRAPH_FILE, load_program

    signature = Signature.read(model)
    graph = edge_form(load_program(model / GRAPH_FILE), signature)
    return ranked(graph, calibration_rows(signature, graph.inputs, calibration))


@dataclass(frozen=True)
class _Answered:
    """Rows, and what the original answers to them."""

    encoded: dict[str, Any]
    output: str
    answers: Any
    task: tasks.Task | None
    labels: Any

    @classmethod
    def of(cls, model: Path, rows: Path, limit: int) -> "_Answered":
        original = load(model, 1)
        target = original.signature.target
        table = read_inputs(original.signature, rows, [target.label] if target else [])
        table = table.slice(0, limit) if limit else table
        task = tasks.of(target) if target else None
        labels = None
        if task and task.target.label in table.column_names:
            labels = task.labels(held_out.column(table, task.target.label), str(rows))
        encoded = original.signature.encode(columns(original.signature, table))
        output = original.signature.prediction
        return cls(encoded, output, original.run(encoded)[output], task, labels)

    def parity(self, made: EdgePackage) -> dict[str, Any]:
        answers = package.load(made.path).run(self.encoded)[self.output]
        return parity(self.answers, answers, self.task, self.labels).to_json()
