"""A model package: a signed folder of known files that can be loaded without trusting whoever stored it."""

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seaway.errors import DataUnreadable, InvalidSpec, PackageRefused
from seaway.models.atomic_folder import staged_folder
from seaway.models.flavours.torch_export_safety import inspect
from seaway.models.lineage import Lineage
from seaway.models.package_files import (
    ALLOWED_FILES,
    GRAPH_FILE,
    MODEL_FILES,
    OPTIONAL_FILES,
    REQUIRED_FILES,
    WEIGHTS_FILE,
)
from seaway.models.signature import SIGNATURE_FILE, Array, Signature, TensorSpec
from seaway.models.signing import SIGNATURE_BUNDLE, check_signature, sign
from seaway.storage import sha256

PICKLE_SUFFIXES = frozenset((".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".ckpt", ".npy", ".npz", ".dill"))
PICKLE_STARTS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))  # PROTO opcode and its argument
PROVED_ROWS = (1, 2, 5)
HEADER_AT = 8  # bytes of a safetensors file that tell the length of its JSON header, little-endian


@dataclass(frozen=True)
class Package:
    """A package that was checked; `sha256` names its content, the signature's own bytes left out."""

    path: Path
    signature: Signature
    lineage: Lineage
    sha256: str


def package(model: Path, output: Path, lineage: Lineage, key: Path) -> Package:
    """Pack a trained model into `output`, prove that what was packed answers its sample, and sign it.

    Args:
        model: Holds `model.pt2`, `model.safetensors`, `signature.json` and perhaps `model.onnx`; other files stay out.
        output: The package folder; replaced whole when the package is complete, untouched when it cannot be.
        lineage: What the package records about where the model comes from.
        key: Private EC key in PEM, see `signing_keys`.

    Raises:
        PackageRefused: a file is missing or unsafe, weights and graph differ, the sample fails, or no space is left.
        InvalidSpec: `signature.json` is none.
    """
    try:
        with staged_folder(output) as draft:
            _copy(model, draft)
            _prove(model, draft)
            lineage.write(draft)
            sign(draft, key)
    except OSError as error:
        raise PackageRefused(
            f"The package {output} could not be written ({error}); nothing of it was left. Free space or permit "
            "writing there, and package again."
        ) from error
    return _described(output)


def verify(package: Path, public_key: Path) -> Package:
    """Check a package before anything in it is used: its files, their safety, its signature. Needs no torch.

    Raises:
        PackageRefused: unknown, missing, linked, pickled, corrupted or unsigned files; the message names the file.
    """
    _check_files(package)
    check_signature(package, public_key)
    inspect(package / GRAPH_FILE)
    return _described(package)


def verified_copy(package: Path, output: Path, public_key: Path) -> Package:
    """Copy a package and check the copy, so that what was checked is what is used.

    Raises:
        PackageRefused: see `verify`; `output` is left as it was.
    """
    _check_files(package)
    with staged_folder(output) as draft:
        for name in sorted(file.name for file in package.iterdir()):
            shutil.copyfile(package / name, draft / name, follow_symlinks=False)
        verify(draft, public_key)
    return _described(output)


def check_name(name: str, where: Path) -> None:
    """Refuse a file name that no package has. Raises: PackageRefused."""
    if name in ALLOWED_FILES:
        return
    if Path(name).suffix.lower() in PICKLE_SUFFIXES:
        raise PackageRefused(
            f"{name} in {where} is a pickle by its name; loading one runs code. Export the model with torch.export to "
            f"{GRAPH_FILE} and its weights with safetensors to {WEIGHTS_FILE}."
        )
    if name != Path(name).name or name in ("", ".", ".."):
        raise PackageRefused(
            f"{name!r} in {where} leads elsewhere: a package has no folders and no absolute or relative paths. "
            "Make the archive anew from inside the package folder."
        )
    raise PackageRefused(
        f"{name} in {where} is no file of a package; it has only {', '.join(sorted(ALLOWED_FILES))}. Remove it."
    )


def content_sha256(package: Path) -> str:
    """The hash of every file's name and content but `model.sig`, which differs each time the same content is signed."""
    digest = hashlib.sha256()
    for file in sorted(package.iterdir()):
        if file.name != SIGNATURE_BUNDLE:
            digest.update(f"{file.name}\0{sha256(file)}\n".encode())
    return digest.hexdigest()


def _check_files(package: Path) -> None:
    if package.is_symlink() or not package.is_dir():
        raise PackageRefused(
            f"{package} is no folder; give the folder of a model package, or unpack its archive first."
        )
    with os.scandir(package) as entries:
        found = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    for name, status in sorted(found.items()):
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise PackageRefused(
                f"{name} in {package} is a link, a folder or a device; a package holds plain files only. "
                "Put the file itself there and sign again."
            )
        check_name(name, package)
        _check_start(package / name)
    if missing := sorted(set(REQUIRED_FILES) - found.keys()):
        raise PackageRefused(f"{package} lacks {', '.join(missing)}; make the package anew with seaway.models.package.")


def _check_start(file: Path) -> None:
    with file.open("rb") as stream:
        start = stream.read(HEADER_AT + 1)
    if start.startswith(PICKLE_STARTS) and not (file.name == WEIGHTS_FILE and _is_safetensors(file, start)):
        raise PackageRefused(
            f"{file.name} in {file.parent} is a pickle; loading one runs code, so it is refused under any name. "
            "Export the model with torch.export and safetensors."
        )


def _is_safetensors(file: Path, start: bytes) -> bool:
    """Whether a header is where the format has it; its length, which comes first, may read like a pickle's start."""
    length = int.from_bytes(start[:HEADER_AT], "little")
    return start.endswith(b"{") and HEADER_AT + length <= file.stat().st_size


def _described(package: Path) -> Package:
    try:
        return Package(package, Signature.read(package), Lineage.read(package), content_sha256(package))
    except (DataUnreadable, InvalidSpec) as error:
        raise PackageRefused(f"{package} is signed but cannot be read: {error} Make the package anew.") from error


def _copy(model: Path, draft: Path) -> None:
    for name in (*MODEL_FILES, *OPTIONAL_FILES):
        if (model / name).is_file():
            _check_start(model / name)
            shutil.copyfile(model / name, draft / name)
        elif name in MODEL_FILES:
            pickles = sorted(file.name for file in model.glob("*") if file.suffix.lower() in PICKLE_SUFFIXES)
            hint = f" The pickle {pickles[0]} there is not taken for a model." if pickles else ""
            raise PackageRefused(f"{model} lacks {name}; export the model with torch.export and safetensors.{hint}")


def _prove(model: Path, draft: Path) -> None:
    """Of the packed files, so that what was proved is what is signed; the graph is read once."""
    from seaway.models.flavours.torch_export import ExportedModel, load_program

    signature, program = Signature.read(draft), load_program(draft / GRAPH_FILE)
    packed = ExportedModel.of(draft, signature, program)
    _check_weights(draft, program.state_dict)
    if not signature.sample:
        raise PackageRefused(f"{draft.name}: {SIGNATURE_FILE} of {model} has no sample; add a few rows of every input.")
    given = packed.predict(signature.sample)
    for spec in signature.outputs:
        _check_output(model, spec, given[spec.name])
    for rows in PROVED_ROWS:
        _check_rows(model, packed, rows)


def _check_rows(model: Path, packed: Any, rows: int) -> None:
    """A server asks for as many rows as requests have come together: one as well as several."""
    signature = packed.signature
    sample = {
        name: np.resize(array, (rows, *array.shape[1:])) for name, array in signature.encode(signature.sample).items()
    }
    try:
        given = packed.run(sample)
    except Exception as error:  # a graph is anybody's and may raise anything
        raise PackageRefused(
            f"The graph of {model} cannot answer a batch of {rows}: {' '.join(str(error).split())[:300]}. Export it "
            "with a dynamic first dimension of every input (torch.export.Dim, of any size from 1), traced on 2 rows."
        ) from error
    for spec in signature.outputs:
        if len(given[spec.name]) != rows:
            raise PackageRefused(
                f"The graph of {model} gives {len(given[spec.name])} rows of {spec.name!r} for {rows}; a model answers "
                f"each row by one of shape {list(spec.shape[1:])}."
            )


def _check_output(model: Path, spec: TensorSpec, given: Array) -> None:
    if given.dtype != spec.dtype or not np.isfinite(given).all():
        raise PackageRefused(
            f"Output {spec.name!r} of {model} is {given.dtype} or not finite; {spec.datatype} is signed."
        )


def _check_weights(folder: Path, graph: Mapping[str, Any]) -> None:
    import safetensors
    import safetensors.torch
    import torch

    try:
        weights = safetensors.torch.load_file(folder / WEIGHTS_FILE)
        weights |= _shared(folder / WEIGHTS_FILE, weights)
    except (safetensors.SafetensorError, ValueError) as error:
        raise PackageRefused(
            f"{WEIGHTS_FILE} is no safetensors file ({error}); write it with safetensors.torch."
        ) from error
    if differing := sorted(
        name for name in weights.keys() | graph.keys() if not _same(torch, weights.get(name), graph.get(name))
    ):
        raise PackageRefused(
            f"{WEIGHTS_FILE} and {GRAPH_FILE} differ in {', '.join(differing[:5])}; write both from one model."
        )


def _shared(file: Path, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors under their further names: `safetensors.torch.save_model` keeps one and tells the others in metadata."""
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        names: Mapping[str, str] = opened.metadata() or {}
    return {name: weights[kept] for name, kept in names.items() if kept in weights and name not in weights}


def _same(torch: Any, left: Any, right: Any) -> bool:
    return left is not None and right is not None and left.dtype == right.dtype and bool(torch.equal(left, right))
