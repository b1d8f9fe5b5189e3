"""Whether a package holds anything new."""

from pathlib import Path

from seaway.models.package import MODEL_FILES
from seaway.storage import sha256


def differing(stable: Path, candidate: Path) -> Path | None:
    """The candidate package; None where its graph, weights and signature are stable's, whatever their lineage.

    A pipeline that is run again packs the same trained model with another lineage: its parent is now itself.

    Raises:
        FileNotFoundError: a package lacks a file.
    """
    same = all(sha256(stable / name) == sha256(candidate / name) for name in MODEL_FILES)
    return None if same else candidate
