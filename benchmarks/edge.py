"""Models for devices beside what each vendor's own converter makes of the same graph: digits, and the flights network.

`python -m benchmarks edge` trains both, converts them for each target in float32 and int8 by `export_edge` and by the
calls of the vendor's tutorial, and answers the same held-out rows by the same runtime, a process at a time, one thread,
both in turn. Flips are rows that are decided otherwise than by the original in eager PyTorch.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import nan
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from seaway import edge, models, tasks
from seaway.data import ingest
from seaway.edge.inputs import edge_arrays
from seaway.edge.measurement import run_apart
from seaway.edge.package import EdgePackage
from seaway.edge.parity import parity
from seaway.edge.port import FLOAT32, INT8_STATIC
from seaway.edge.rows import columns, read_inputs
from seaway.edge.runners.measure import timed
from seaway.errors import ConversionRefused
from seaway.features import PlainSpec, SplitSpec, build, plain_examples, training_examples
from seaway.models.flavours.torch_export import GRAPH_FILE, load_program
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainSpec
from seaway_examples.flights.schema import DEFINITIONS, FEATURES, SOURCE

from benchmarks import Row, main, told
from benchmarks.edge_vendors import VENDORS

Rows = Sequence[Sequence[np.ndarray]]
SPLITS, SHARES = ("train", "validation", "test", "replay"), SplitSpec(0.6, 0.15, 0.15, 0.1)
PRECISIONS = (FLOAT32, INT8_STATIC)
MOST_ROWS, CALIBRATION, EAGER_ROWS, ROUNDS = 2_000, 300, 200, 2
FLIPS = {FLOAT32: "ours: none", INT8_STATIC: "ours <= 0.2 %"}
SIZES = {FLOAT32: "none stated", INT8_STATIC: "3.5x below model.pt2"}
DIGITS = {"label": "digit", "task": "multiclass", "image": "picture", "size": [16, 16], "channels": 1, "name": "digits"}
FLIGHTS = {**FEATURES, "hidden": [64, 32], "embedding": 4, "learning_rate": 0.003, "epochs": 5, "name": "flights"}


def measure() -> list[Row]:
    """Size, latencies and flips of each target and precision; the vendor's are missing where it refuses the graph."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = models.signing_keys(folder / "keys").private
        parts = {"digits": _digits(folder / "digits"), "flights": _flights(folder / "flights")}
        return [
            row
            for model, (trained, files) in parts.items()
            for row in _compared(Case.of(model, trained, files), folder / f"{model}-edge", key)
        ]


def _digits(folder: Path) -> tuple[Path, dict[str, Path]]:
    ingest("seaway_examples.digits.pictures:digits", {}, folder / "tables")
    files = {name: folder / f"{name}.parquet" for name in SPLITS}
    plain_examples(
        folder / "tables" / "digits.parquet", PlainSpec("digit", "multiclass", images=["picture"]), SHARES, files
    )
    return _trained(folder, files, "seaway.training.vision", DIGITS), files


def _flights(folder: Path) -> tuple[Path, dict[str, Path]]:
    """Of a month."""
    ingest(SOURCE, {"months": "1"}, folder / "tables")
    build(folder / "tables", DEFINITIONS, folder / "repository", online=False)
    files = {name: folder / f"{name}.parquet" for name in SPLITS}
    training_examples(folder / "repository", folder / "tables", SHARES, files)
    return _trained(folder, files, "seaway.training.tabular", FLIGHTS), files


def _trained(folder: Path, files: dict[str, Path], entrypoint: str, params: dict[str, Any]) -> Path:
    spec = TrainSpec(
        files["train"], files["validation"], folder / "model", folder / "kept", entrypoint, params, timeout_s=3_600
    )
    return TorchrunTrainer().train(spec).path


@dataclass(frozen=True)
class Case:
    """A trained model, rows that it has not seen, and what it answers to them."""

    name: str
    model: Path
    train: Path
    original: models.LoadedModel
    encoded: dict[str, np.ndarray]
    labels: np.ndarray

    @classmethod
    def of(cls, name: str, model: Path, files: dict[str, Path]) -> "Case":
        original = models.load(model, 1)
        target = original.signature.target
        assert target is not None
        table = read_inputs(original.signature, files["test"], [target.label]).slice(0, MOST_ROWS)
        labels = tasks.of(target).labels(np.array(table[target.label].to_pylist()), name)
        encoded = original.signature.encode(columns(original.signature, table))
        return cls(name, model, files["train"], original, encoded, labels)

    @property
    def answers(self) -> np.ndarray:
        return self.original.run(self.encoded)[self.original.signature.prediction]

    def some(self, count: int) -> Rows:
        """Rows as the graph takes them, one by one."""
        return [[array[row : row + 1] for array in self.encoded.values()] for row in range(count)]

    def calibration(self) -> Rows:
        table = read_inputs(self.original.signature, self.train).slice(0, CALIBRATION)
        arrays = self.original.signature.encode(columns(self.original.signature, table)).values()
        return [[array[row : row + 1] for array in arrays] for row in range(table.num_rows)]

    def eager_ms(self) -> float:
        _, seconds = timed(self.original.answer, self.some(min(EAGER_ROWS, len(self.labels))))
        return 1000 * median(seconds)


@dataclass(frozen=True)
class Found:
    """What one converter's file is worth; latencies are medians of the rounds."""

    size_mb: float = nan
    p50_ms: float = nan
    p99_ms: float = nan
    flips: float = nan
    largest: float = nan


def _compared(case: Case, folder: Path, key: Path) -> Iterator[Row]:
    for target, vendor in VENDORS.items():
        for precision in (one for one in PRECISIONS if one in edge.named(target).precisions):
            what, made = f"{case.name}, {target} {precision}", folder / f"{target}-{precision}"
            try:
                ours = edge.export_edge(case.model, target, made, key, precision, case.train)
            except ConversionRefused as error:
                yield Row(f"{what}, refused", nan, nan, "MB", SIZES[precision], "lower", str(error)[:120])
                continue
            theirs, refusal = _by_vendor(case, vendor, ours, folder / f"vendor-{target}-{precision}")
            for row in _rows(case, what, ours, theirs, refusal):
                print(row.name, told(row.ours, row.unit), told(row.theirs, row.unit), row.note, sep="; ", flush=True)
                yield row


def _by_vendor(
    case: Case, vendor: Callable[..., None], ours: EdgePackage, folder: Path
) -> tuple[EdgePackage | None, str]:
    """The vendor's files in the clothes of a package, or why there are none."""
    folder.mkdir(parents=True)
    rows = case.calibration()
    try:
        vendor(
            load_program(case.model / GRAPH_FILE),
            rows[0],
            rows if ours.manifest.precision == INT8_STATIC else [],
            folder,
        )
    except Exception as error:  # noqa: BLE001 - each converter has classes of its own; the figure is that it refuses
        return None, f"{type(error).__name__}: {' '.join(str(error).split())[:90]}"
    return EdgePackage(folder, ours.manifest, sum(file.stat().st_size for file in folder.rglob("*"))), ""


def _rows(case: Case, what: str, ours: EdgePackage, theirs: EdgePackage | None, refusal: str) -> list[Row]:
    given = {
        "ours": partial(run_apart, ours, edge_arrays(ours.manifest.inputs, case.encoded), 1, 600.0),
        **({"theirs": partial(run_apart, theirs, list(case.encoded.values()), 1, 600.0)} if theirs else {}),
    }
    eager: list[float] = []
    runs: dict[str, list[Any]] = {name: [] for name in given}
    for _ in range(ROUNDS):
        eager.append(case.eager_ms())
        for name, run in given.items():
            try:
                runs[name].append(run())
            except Exception as error:
                if name == "ours":
                    raise
                refusal = f"{type(error).__name__}: {' '.join(str(error).split())[-90:]}"
    mine = _found(case, ours, runs["ours"])
    other = _found(case, theirs, runs["theirs"]) if theirs and runs["theirs"] else Found()
    precision = ours.manifest.precision
    smaller = (case.model / GRAPH_FILE).stat().st_size / ours.size
    note = f"vendor's script: {refusal}" if refusal else "beside the vendor's script"
    return [
        Row(f"{what}, size", mine.size_mb, other.size_mb, "MB", SIZES[precision], "lower",
            f"{smaller:.2f}x below model.pt2; {ours.manifest.runtime}; {note}"),
        Row(f"{what}, p50", mine.p50_ms, other.p50_ms, "ms", "none stated", "lower", f"eager {median(eager):.3g} ms"),
        Row(f"{what}, p99", mine.p99_ms, other.p99_ms, "ms", "none stated", "lower"),
        Row(f"{what}, flips", 100 * mine.flips, 100 * other.flips, "%", FLIPS[precision], "lower",
            f"of {len(case.labels):,}; largest difference {mine.largest:.2g}, theirs {other.largest:.2g}"),
    ]  # fmt: skip


def _found(case: Case, package: EdgePackage, runs: Sequence[tuple[list[np.ndarray], dict[str, Any]]]) -> Found:
    place = package.manifest.outputs.index(case.original.signature.prediction)
    target = case.original.signature.target
    assert target is not None
    found = parity(case.answers, runs[0][0][place].reshape(case.answers.shape), tasks.of(target), case.labels)
    figures = found.to_json()
    p50, p99 = (median(costs[name] for _, costs in runs) for name in ("p50_ms", "p99_ms"))
    return Found(package.size / 1e6, p50, p99, figures["flip_rate"]["value"], figures["maximum"])


if __name__ == "__main__":
    main(measure)
