"""A model as it leaves for a device: a signed folder of the target's files and `edge.json`, which describes them."""

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from seaway.edge import port
from seaway.edge.inputs import EdgeInput, edge_arrays
from seaway.edge.rows import columns, read_inputs
from seaway.errors import DataUnreadable, InvalidSpec, PackageRefused
from seaway.models import Signature, signing
from seaway.models.atomic_folder import staged_folder
from seaway.models.loaded import LoadedModel
from seaway.models.signature import SIGNATURE_FILE, TORCH_EXPORT, Array
from seaway.storage import read_json, sha256, write_json

MANIFEST = "edge.json"
FORMAT = 1
CALIBRATION_ROWS = 300
RUNNERS = "seaway.edge.runners"
SCRIPT, RUNNER = "measure.py", "runner.py"  # what measures the model where Seaway is not


@dataclass(frozen=True)
class EdgeManifest:
    """What an updater has to know before it takes a model.

    Attributes:
        model: its name.
        target: of `seaway.edge.every()`.
        precision: of its weights, and of what is computed with them.
        source: SHA-256 of the graph that it was made of.
        files: the target's files, each with its SHA-256.
        inputs: what the model takes, in its order; a text's hash as two halves.
        outputs: in the model's order.
        runtime: the distribution that answers, and the version that was measured here.
        minimum: least version of each system.
        made_by: versions of the converters.
        kept: layers that stayed in float32, by the names of their nodes.
    """

    model: str
    target: str
    precision: str
    source: str
    files: Mapping[str, str]
    inputs: tuple[EdgeInput, ...]
    outputs: tuple[str, ...]
    runtime: str
    minimum: Mapping[str, str]
    made_by: Mapping[str, str]
    kept: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> "EdgeManifest":
        """Raises: DataUnreadable: `edge.json` is missing or none."""
        content = dict(read_json(folder / MANIFEST))
        if content.pop("format", None) != FORMAT:
            raise DataUnreadable(f"{folder / MANIFEST} is not of format {FORMAT}; export the model anew.")
        try:
            inputs = tuple(EdgeInput(**one) for one in content.pop("inputs"))
            outputs, kept = (tuple(content.pop(name)) for name in ("outputs", "kept"))
            return cls(inputs=inputs, outputs=outputs, kept=kept, **content)
        except (KeyError, TypeError) as error:
            raise DataUnreadable(f"{folder / MANIFEST} is no manifest ({error!r}); export the model anew.") from error

    def write(self, folder: Path) -> None:
        write_json(folder / MANIFEST, {"format": FORMAT, **asdict(self)})


@dataclass(frozen=True)
class EdgePackage:
    """A package for a device that was checked; `size` is bytes of the target's files."""

    path: Path
    manifest: EdgeManifest
    size: int


def export_edge(
    model: Path,
    target: str,
    output: Path,
    key: Path,
    precision: str = port.FLOAT32,
    calibration: Path | None = None,
    kept: Collection[str] = (),
) -> EdgePackage:
    """Convert a trained model, or a verified package, for a target, and sign what came out.

    Args:
        model: Holds `model.pt2` and `signature.json`.
        target: Name of one of `seaway.edge.every()`.
        output: Replaced whole when all is done, untouched when it cannot be.
        key: Private EC key in PEM, see `seaway.models.signing_keys`.
        precision: One of the target's: `float32`, `int8-static`, `int8-dynamic` or `int8-weights`.
        calibration: Parquet file of training rows, of which a few hundred tell `int8-static` the ranges of values.
        kept: Layers that stay in float32, by the names of their nodes; `quantize_model` finds them.

    Raises:
        ConversionRefused: the target cannot take the model; the message names the operator and what to change.
        InvalidSpec: no such target, its converter is not installed, or the model is of another flavour.
        PackageRefused: the graph could run code.
    """
    chosen, signature = port.named(target), Signature.read(model)
    if signature.flavour != TORCH_EXPORT:
        raise InvalidSpec(
            f"{signature.name} is of the flavour {signature.flavour}; edge targets take graphs of torch.export."
        )
    from seaway.edge.form import edge_form
    from seaway.models.flavours.torch_export import GRAPH_FILE, load_program

    graph = edge_form(load_program(model / GRAPH_FILE), signature)
    recipe = port.Recipe(precision, calibration_rows(signature, graph.inputs, calibration), frozenset(kept))
    with staged_folder(output) as draft:
        port.converted(chosen, graph, draft, recipe)
        for name in (SIGNATURE_FILE, *signature.files):
            shutil.copyfile(model / name, draft / name)
        _write_scripts(chosen, draft)
        EdgeManifest(
            signature.name, chosen.name, precision, sha256(model / GRAPH_FILE), _hashes(chosen, draft), graph.inputs,
            graph.outputs, f"{chosen.runtime}=={version(chosen.runtime)}", dict(chosen.minimum),
            {name: version(name) for name in chosen.converts}, tuple(sorted(kept)),
        ).write(draft)  # fmt: skip
        signing.sign(draft, key)
    return described(output)


def verify(folder: Path, public_key: Path) -> EdgePackage:
    """Check a package as an updater does, before anything in it is used.

    Raises:
        PackageRefused: another key, another content, a file too many or too few, or a link.
    """
    for file in folder.rglob("*"):
        if file.is_symlink():
            raise PackageRefused(f"{file} is a link; a package for a device holds files only.")
    signing.check_signature(folder, public_key)
    found = described(folder)
    target = port.named(found.manifest.target)
    if _hashes(target, folder) != dict(found.manifest.files):
        raise PackageRefused(f"The files of {folder} are not those that {MANIFEST} names; fetch the package again.")
    return found


def described(folder: Path) -> EdgePackage:
    """A package without a check of its signature. Raises: DataUnreadable."""
    manifest = EdgeManifest.read(folder)
    return EdgePackage(folder, manifest, sum((folder / name).stat().st_size for name in manifest.files))


def load(folder: Path, threads: int = 1) -> LoadedModel:
    """The model as its target's runtime answers here, a row at a time: called as `seaway.models.load`'s is.

    Raises:
        InvalidSpec: this system does not have the runtime, or it is not installed.
        DataUnreadable: a file is missing.
    """
    manifest, signature = EdgeManifest.read(folder), Signature.read(folder)
    answer = runner(port.named(manifest.target))(folder, threads)

    def answers(arrays: Sequence[Array]) -> list[Array]:
        given = edge_arrays(manifest.inputs, dict(zip((spec.name for spec in signature.inputs), arrays, strict=True)))
        rows = [answer([array[row : row + 1] for array in given]) for row in range(len(given[0]))]
        return [np.concatenate(values) for values in zip(*rows, strict=True)]

    return LoadedModel(signature, answers)


def runner(target: port.EdgeTarget) -> Callable[[Path, int], Callable[[Sequence[Array]], Sequence[Array]]]:
    """What loads a target's files. Raises: InvalidSpec: it cannot answer on this system, or is not installed."""
    import sys

    if sys.platform not in target.systems:
        raise InvalidSpec(
            f"{target.title} answers on {', '.join(target.systems)} only. Take the package there, and run its "
            f"{SCRIPT}: docs/how-to/take-a-model-to-the-edge.md says how."
        )
    try:
        loader: Callable[[Path, int], Any] = import_module(f"{RUNNERS}.{target.runner}").load
    except ModuleNotFoundError as error:
        raise InvalidSpec(f"The runtime of {target.title} is not installed: {error}.") from error
    return loader


def calibration_rows(signature: Signature, inputs: Sequence[EdgeInput], rows: Path | None) -> list[port.Row]:
    """The rows of a file as the model is given them, one by one: evenly from all of it."""
    if rows is None:
        return []
    table = read_inputs(signature, rows)
    step = max(1, table.num_rows // CALIBRATION_ROWS)
    arrays = edge_arrays(inputs, signature.encode(columns(signature, table.take(list(range(0, table.num_rows, step))))))
    return [[array[row : row + 1] for array in arrays] for row in range(len(arrays[0]))]


def _write_scripts(target: port.EdgeTarget, folder: Path) -> None:
    here = Path(__file__).parent / "runners"
    shutil.copyfile(here / SCRIPT, folder / SCRIPT)
    shutil.copyfile(here / f"{target.runner}.py", folder / RUNNER)


def _hashes(target: port.EdgeTarget, folder: Path) -> dict[str, str]:
    """Each of the target's files by its path. Raises: PackageRefused: one is missing."""
    found: list[Path] = []
    for name in target.files:
        if not (folder / name).exists():
            raise PackageRefused(f"{folder} lacks {name}, which a model for {target.title} has.")
        found += (
            [file for file in (folder / name).rglob("*") if file.is_file()] if name.endswith("/") else [folder / name]
        )
    return {file.relative_to(folder).as_posix(): sha256(file) for file in sorted(found)}
