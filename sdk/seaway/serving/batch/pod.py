"""`python -m seaway.serving.batch.pod`: what each pod of a Job of predictions does, its shard by its index.

A pod that is started again goes on where the one before it was ended: answers are put into the storage one by one.
"""

import logging
import os
from pathlib import Path

from seaway.entrypoint import run
from seaway.errors import InvalidSpec
from seaway.serving.batch.parts import Part
from seaway.serving.batch.predict import predict
from seaway.serving.batch.remote import SCRATCH_VARIABLE, SHARD_VARIABLE, RemoteBatch
from seaway.serving.batch.spec import BatchSpec
from seaway.storage import storage_for, write_json

log = logging.getLogger("seaway.serving.batch.pod")


def main() -> None:
    """Predict the shard that the environment names."""
    batch, shard = RemoteBatch.parse(os.environ), _shard()
    folder = Path(os.environ.get(SCRATCH_VARIABLE, "."))
    spec = batch.local(folder, shard)
    _fetch(batch, spec)
    storage = storage_for(batch.root)

    def keep(part: Part) -> None:
        storage.upload(part.answers, f"{batch.predictions}/{part.answers.name}")

    result = predict(spec, keep)
    write_json(folder / "result.json", result.to_json())
    storage.upload(folder / "result.json", batch.result(shard))
    log.info("shard %d of %d is predicted: %d rows", shard, batch.shards, result.rows)


def _shard() -> int:
    try:
        return int(os.environ[SHARD_VARIABLE])
    except (KeyError, ValueError) as error:
        raise InvalidSpec(
            f"{SHARD_VARIABLE} names no shard: this pod is of no Job with indexed completions."
        ) from error


def _fetch(batch: RemoteBatch, spec: BatchSpec) -> None:
    """Package and rows, and the answers that the shard has already."""
    storage = storage_for(batch.root)
    spec.predictions.mkdir(parents=True, exist_ok=True)
    spec.public_key.write_text(batch.public_key, encoding="utf-8")
    storage.download(batch.package, spec.package)
    for uri in storage.list(batch.rows):
        storage.download(uri, spec.rows / _name(uri))
    for uri in storage.list(batch.predictions):
        if batch.is_of(spec.shard, _name(uri)):
            storage.download(uri, spec.predictions / _name(uri))


def _name(uri: str) -> str:
    return uri.rpartition("/")[2]


if __name__ == "__main__":
    run(main)
