"""Whether a package holds anything new."""

from pathlib import Path

from seaway.errors import DataUnreadable
from seaway.models import flavours
from seaway.models.signature import SIGNATURE_FILE, Signature
from seaway.storage import sha256


def same_model(stable: Path, candidate: Path) -> bool:
    """Whether the candidate package has stable's model files and signature, whatever their lineage.

    A pipeline that is run again packs the same trained model with another lineage: its parent is now itself.

    Raises:
        FileNotFoundError, DataUnreadable: a package lacks a file.
    """
    return _hashes(stable) == _hashes(candidate)


def same_graph(one: Path, other: Path) -> bool:
    """Whether two models answer by the same files; False where one of them is not there."""
    try:
        return _hashes(one)[1:] == _hashes(other)[1:]
    except (FileNotFoundError, DataUnreadable):
        return False


def model_hash(folder: Path) -> str:
    """What names a trained model: the SHA-256 of its flavour's first file, for an exported one that of its weights."""
    return sha256(folder / flavours.of(Signature.read(folder)).files[0])


def _hashes(folder: Path) -> list[str]:
    """Of the signature, then of each model file that is there."""
    flavour = flavours.of(Signature.read(folder))
    optional = [name for name in flavour.optional if (folder / name).is_file()]
    return [sha256(folder / name) for name in (SIGNATURE_FILE, *flavour.files, *optional)]
