"""Whether a package holds anything new."""

from pathlib import Path

from seaway.models.package_files import MODEL_FILES
from seaway.storage import sha256


def same_model(stable: Path, candidate: Path) -> bool:
    """Whether the candidate package has stable's graph, weights and signature, whatever their lineage.

    A pipeline that is run again packs the same trained model with another lineage: its parent is now itself.

    Raises:
        FileNotFoundError: a package lacks a file.
    """
    return all(sha256(stable / name) == sha256(candidate / name) for name in MODEL_FILES)
