"""A model for several targets and precisions, each measured on the same rows: what to take is read off one page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seaway.edge.gate import EdgeGate
from seaway.edge.measurement import FILE, PAGE, Measurement, measure_edge
from seaway.edge.package import export_edge
from seaway.edge.page import write_page
from seaway.edge.port import FLOAT32
from seaway.errors import InvalidSpec
from seaway.evaluation import Outcome
from seaway.storage import write_json


@dataclass(frozen=True)
class Variant:
    """A target, a precision, and the rules of its own gate, which come on top of the common ones."""

    target: str
    precision: str = FLOAT32
    gate: Mapping[str, float] | None = None

    @property
    def name(self) -> str:
        return f"{self.target}-{self.precision}"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Variant":
        """Raises: InvalidSpec: it has no target, or something that a variant does not have."""
        try:
            return cls(**told)
        except TypeError as error:
            raise InvalidSpec(f"The variant {dict(told)} is none: {error}; give target, precision and gate.") from error


@dataclass(frozen=True)
class Comparison:
    """What was measured, in the order of the variants, and where the page is."""

    path: Path
    measured: Sequence[Measurement]
    summary: str

    @property
    def outcomes(self) -> list[Outcome]:
        """Of all gates, each rule behind its variant's name."""
        return [
            replace(one, rule=f"{found.figures['target']}-{found.figures['precision']}: {one.rule}")
            for found in self.measured
            for one in found.outcomes
        ]


def compare_edge(
    model: Path,
    rows: Path,
    calibration: Path,
    packages: Path,
    output: Path,
    key: Path,
    variants: Sequence[Variant],
    *,
    gate: EdgeGate = EdgeGate(),  # noqa: B008 - frozen
    slices: Sequence[str] = (),
    limit: int = 0,
    threads: int = 1,
) -> Comparison:
    """Convert a model for each variant, measure it, and write one page of all.

    Args:
        model: Package, or trained model, of a graph of torch.export.
        rows: Parquet file of held-out rows.
        calibration: Parquet file of training rows, for `int8-static`.
        packages: Folder that gets a signed package a variant, under its name.
        output: Folder that gets `evaluation.json`, which `check_gate` reads, and `edge.html`.
        key: Private EC key in PEM.
        variants: What to try.
        gate: Rules for all of them.
        slices: Columns to look for the worst slices in.
        limit: At most so many rows, the first; 0 for all.
        threads: That one answer is computed on.

    Raises:
        ConversionRefused, InvalidSpec, DataUnreadable, PackageRefused: as `export_edge` and `measure_edge`: nothing
            that was asked for is left out in silence.
    """
    gates = [EdgeGate({**gate.rules, **(one.gate or {})}) for one in variants]
    names = [one.name for one in variants]
    if not names or len(set(names)) < len(names):
        raise InvalidSpec(f"Give variants that differ in target or precision; given are {names}.")
    measured = []
    for one, bounds in zip(variants, gates, strict=True):
        made = export_edge(model, one.target, packages / one.name, key, one.precision, calibration)
        found = measure_edge(
            made.path, model, rows, output / one.name, gate=bounds, slices=slices, limit=limit, threads=threads
        )
        measured.append(found)
    summary = write_page([found.figures for found in measured], output / PAGE)
    comparison = Comparison(output, measured, summary)
    passed = all(one.passed for one in comparison.outcomes)
    told = {"passed": passed, "outcomes": [asdict(one) for one in comparison.outcomes]}
    write_json(output / FILE, {"gate": told, "measured": [found.figures for found in measured]})
    return comparison
