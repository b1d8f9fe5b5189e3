"""A model for several targets and precisions, each measured on the same rows: what to take is read off one page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seaway.edge.gate import EdgeGate
from seaway.edge.measurement import FILE, PAGE, Measurement, measure_edge
from seaway.edge.package import EdgePackage, export_edge
from seaway.edge.page import write_page
from seaway.edge.port import FLOAT32
from seaway.edge.quantization import quantize_model
from seaway.errors import InvalidSpec
from seaway.evaluation import Outcome
from seaway.storage import write_json


@dataclass(frozen=True)
class Variant:
    """A target, a precision, and the rules of its own gate, which come on top of the common ones.

    With a `bound`, as few layers as meet it on validation rows stay in float32, as `quantize_model` finds them.
    """

    target: str
    precision: str = FLOAT32
    gate: Mapping[str, float] | None = None
    bound: Mapping[str, float] | None = None

    @property
    def name(self) -> str:
        return f"{self.target}-{self.precision}{'-bounded' if self.bound else ''}"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Variant":
        """Raises: InvalidSpec: it has no target, or something that a variant does not have."""
        try:
            return cls(**told)
        except TypeError as error:
            known = "target, precision, gate and bound"
            raise InvalidSpec(f"The variant {dict(told)} is none: {error}; give {known}.") from error


@dataclass(frozen=True)
class Comparison:
    """What was measured, by the variants' names in their order, and where the page is."""

    path: Path
    measured: Mapping[str, Measurement]
    summary: str

    @property
    def outcomes(self) -> list[Outcome]:
        """Of all gates, each rule behind its variant's name."""
        return [
            replace(one, rule=f"{name}: {one.rule}") for name, found in self.measured.items() for one in found.outcomes
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
    validation: Path | None = None,
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
        validation: Parquet file of rows for variants with a bound, which must not be those that are measured.
        gate: Rules for all of them.
        slices: Columns to look for the worst slices in.
        limit: At most so many rows, the first; 0 for all.
        threads: That one answer is computed on.

    Raises:
        ConversionRefused, InvalidSpec, DataUnreadable, PackageRefused, GateClosed: as `export_edge`, `quantize_model`
            and `measure_edge`: nothing that was asked for is left out in silence.
    """
    gates = [EdgeGate({**gate.rules, **(one.gate or {})}) for one in variants]
    names = [one.name for one in variants]
    if not names or len(set(names)) < len(names):
        raise InvalidSpec(f"Give variants that differ in target or precision; given are {names}.")
    if validation is None and (bounded := [one.name for one in variants if one.bound]):
        raise InvalidSpec(f"{', '.join(bounded)} choose layers by validation rows; give some.")
    measured: dict[str, Measurement] = {}
    for one, rules in zip(variants, gates, strict=True):
        made = _made(one, model, packages / one.name, key, calibration, validation)
        found = measure_edge(
            made.path, model, rows, output / one.name, gate=rules, slices=slices, limit=limit, threads=threads
        )
        measured[one.name] = replace(found, figures={**found.figures, "bound": one.bound})
    summary = write_page([found.figures for found in measured.values()], output / PAGE)
    comparison = Comparison(output, measured, summary)
    passed = all(one.passed for one in comparison.outcomes)
    told = {"passed": passed, "outcomes": [asdict(one) for one in comparison.outcomes]}
    write_json(output / FILE, {"gate": told, "measured": [found.figures for found in measured.values()]})
    return comparison


def _made(
    one: Variant, model: Path, output: Path, key: Path, calibration: Path, validation: Path | None
) -> EdgePackage:
    if not one.bound or validation is None:
        return export_edge(model, one.target, output, key, one.precision, calibration)
    gate = EdgeGate(one.bound)
    return quantize_model(
        model, one.target, output, key, calibration, validation, precision=one.precision, gate=gate
    ).package
