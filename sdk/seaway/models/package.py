"""A model package: a signed folder of known files that can be loaded without trusting whoever stored it."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from seaway.errors import DataUnreadable, InvalidSpec, PackageRefused
from seaway.models import flavours
from seaway.models.atomic_folder import staged_folder
from seaway.models.lineage import Lineage
from seaway.models.package_files import COMMON_FILES, allowed_files, required_files
from seaway.models.proof import prove
from seaway.models.signature import SIGNATURE_FILE, Signature
from seaway.models.signing import SIGNATURE_BUNDLE, check_signature, sign
from seaway.storage import sha256

PICKLE_SUFFIXES = frozenset((".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".ckpt", ".npy", ".npz", ".dill"))
PICKLE_STARTS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))  # PROTO opcode and its argument
WEIGHTS_FILE = "model.safetensors"
HEADER_AT = 8  # bytes of a safetensors file that tell the length of its JSON header, little-endian


@dataclass(frozen=True)
class Package:
    """A package that was checked; `sha256` names its content, the signature's own bytes left out."""

    path: Path
    signature: Signature
    lineage: Lineage
    sha256: str


def package(model: Path, output: Path, lineage: Lineage, key: Path, proof: Callable[[Path], None] = prove) -> Package:
    """Pack a trained model into `output`, prove that what was packed answers its sample, and sign it.

    Args:
        model: Holds `signature.json` and the files of its flavour; other files stay out.
        output: The package folder; replaced whole when the package is complete, untouched when it cannot be.
        lineage: What the package records about where the model comes from.
        key: Private EC key in PEM, see `signing_keys`.
        proof: What tries a folder's model on its sample, see `seaway.models.proof`.

    Raises:
        PackageRefused: a file is missing or unsafe, weights and graph differ, the sample fails, or no space is left.
        InvalidSpec: `signature.json` is none.
    """
    try:
        with staged_folder(output) as draft:
            _copy(model, draft)
            _check_model(draft)
            proof(draft)
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
    check_files(package)
    check_signature(package, public_key)
    _check_model(package)
    return _described(package)


def verified_copy(package: Path, output: Path, public_key: Path) -> Package:
    """Copy a package and check the copy, so that what was checked is what is used.

    Raises:
        PackageRefused: see `verify`; `output` is left as it was.
    """
    check_files(package)
    with staged_folder(output) as draft:
        for name in sorted(file.name for file in package.iterdir()):
            shutil.copyfile(package / name, draft / name, follow_symlinks=False)
        verify(draft, public_key)
    return _described(output)


def check_name(name: str, where: Path) -> None:
    """Refuse a file name that no package has. Raises: PackageRefused."""
    if name in allowed_files():
        return
    if Path(name).suffix.lower() in PICKLE_SUFFIXES:
        raise PackageRefused(
            f"{name} in {where} is a pickle by its name; loading one runs code. Export the model to a format without: "
            f"{', '.join(sorted(flavour.files[-1] for flavour in flavours.every()))}."
        )
    if name != Path(name).name or name in ("", ".", ".."):
        raise PackageRefused(
            f"{name!r} in {where} leads elsewhere: a package has no folders and no absolute or relative paths. "
            "Make the archive anew from inside the package folder."
        )
    raise PackageRefused(
        f"{name} in {where} is no file of a package; it has only {', '.join(sorted(allowed_files()))}. Remove it."
    )


def content_sha256(package: Path) -> str:
    """The hash of every file's name and content but `model.sig`, which differs each time the same content is signed."""
    digest = hashlib.sha256()
    for file in sorted(package.iterdir()):
        if file.name != SIGNATURE_BUNDLE:
            digest.update(f"{file.name}\0{sha256(file)}\n".encode())
    return digest.hexdigest()


def check_files(package: Path) -> None:
    """Refuse what is no package by the names and the starts of its files, whose contents may be large.

    Raises:
        PackageRefused: see `verify`.
    """
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
        check_start(package / name)
    _check_complete(package, found.keys())


def _check_complete(package: Path, found: AbstractSet[str]) -> None:
    missing = sorted(set(COMMON_FILES) - found)
    if not missing:
        signature = _signature(package)
        flavour = flavours.of(signature)
        required = required_files(flavour).union(signature.files)
        missing = sorted(required - found)
        if strange := sorted(found - required - set(flavour.optional)):
            raise PackageRefused(f"{package} holds {', '.join(strange)}, no file of the flavour {flavour.name}.")
    if missing:
        raise PackageRefused(f"{package} lacks {', '.join(missing)}; make the package anew with seaway.models.package.")


def _check_model(folder: Path) -> None:
    """Raises: PackageRefused: loading the files could run code."""
    flavours.of(_signature(folder)).check(folder)


def _signature(folder: Path) -> Signature:
    try:
        return Signature.read(folder)
    except (DataUnreadable, InvalidSpec) as error:
        raise PackageRefused(f"{SIGNATURE_FILE} of {folder} cannot be read: {error}") from error


def check_start(file: Path) -> None:
    """Refuse a file that begins as a pickle does. Raises: PackageRefused."""
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
    if not (model / SIGNATURE_FILE).is_file():
        raise _lacking(model, SIGNATURE_FILE, "every model has")
    signature = _signature(model)
    flavour = flavours.of(signature)
    for name in (*flavour.files, *flavour.optional, *signature.files, SIGNATURE_FILE):
        if (model / name).is_file():
            check_start(model / name)
            shutil.copyfile(model / name, draft / name)
        elif name not in flavour.optional:
            raise _lacking(model, name, f"a model of the flavour {flavour.name} has")


def _lacking(model: Path, name: str, whose: str) -> PackageRefused:
    pickles = sorted(file.name for file in model.glob("*") if file.suffix.lower() in PICKLE_SUFFIXES)
    hint = f" The pickle {pickles[0]} there is not taken for a model; export it with torch.export." if pickles else ""
    return PackageRefused(f"{model} lacks {name}, which {whose}.{hint}")
