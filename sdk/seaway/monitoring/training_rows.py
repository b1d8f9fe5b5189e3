"""Training rows, kept by their hash: what a lineage names can be found when its model is watched.

They are kept at the URI `SEAWAY_REFERENCES`, by default in the state folder; on a cluster it is a bucket.
"""

import tempfile
from pathlib import Path

from seaway.errors import DataUnreadable, StorageCorrupted
from seaway.storage import sha256, storage_for

VARIABLE = "SEAWAY_REFERENCES"


def keep(train: Path, place: str) -> str:
    """Keep the training rows at the URI `place`, and give their URI; the same rows are kept once.

    Raises:
        DataUnreadable, StorageUnavailable: they cannot be read, or not written.
    """
    uri = _uri(place, sha256(train))
    storage = storage_for(uri)
    if not storage.exists(uri):
        storage.upload(train, uri)
    return uri


def find(data_sha256: str, place: str) -> Path:
    """A local copy, in a temporary folder, of the training rows with this hash.

    Raises:
        DataUnreadable: they are not kept there.
        StorageCorrupted: what is there has another hash.
    """
    if not data_sha256:
        raise DataUnreadable(
            "The model was imported without the rows that it was trained on, so there is nothing to compare with; "
            "import it again with --train, or train of the component import_model."
        )
    uri = _uri(place, data_sha256)
    storage = storage_for(uri)
    if not storage.exists(uri):
        raise DataUnreadable(
            f"The training rows {data_sha256[:12]} that the model's lineage names are not at {uri}; package the model "
            f"again where {VARIABLE} is set as it is here, which keeps them."
        )
    copy = Path(tempfile.mkdtemp(prefix="seaway-reference-")) / "train.parquet"
    storage.download(uri, copy)
    if (found := sha256(copy)) != data_sha256:
        raise StorageCorrupted(f"{uri} holds rows with the hash {found[:12]}; they are not those of its name.")
    return copy


def _uri(place: str, data_sha256: str) -> str:
    return f"{place.rstrip('/')}/{data_sha256}.parquet"
