"""The proof that a model answers its own sample, one row and several, before it is signed."""

from pathlib import Path

import numpy as np

from seaway.errors import PackageRefused
from seaway.models import flavours
from seaway.models.loaded import LoadedModel, load
from seaway.models.signature import SIGNATURE_FILE, Array, Signature, TensorSpec

PROVED_ROWS = (1, 2, 5)
TOLERANCE = 1e-4  # absolute and relative, of a row alone and among others: sums in another order


def prove(folder: Path) -> None:
    """Try the model of a folder on its sample.

    Raises:
        PackageRefused: it has no sample, does not answer it, answers other than its signature says, or a row alone
            gets another answer than among others.
        DataUnreadable, InvalidSpec: a file is missing, or the signature is none.
    """
    signature = Signature.read(folder)
    if not signature.sample:
        raise PackageRefused(f"{SIGNATURE_FILE} of {signature.name} has no sample; add a few rows of every input.")
    packed = load(folder)
    flavours.of(signature).prove(folder)
    given = packed.predict(signature.sample)
    for spec in signature.outputs:
        _check_output(signature.name, spec, given[spec.name])
    answers = {rows: _answered(packed, rows) for rows in PROVED_ROWS}
    _check_alone(signature, answers[PROVED_ROWS[0]], answers[PROVED_ROWS[-1]])


def _answered(packed: LoadedModel, rows: int) -> dict[str, Array]:
    """A server asks for as many rows as requests have come together: one as well as several."""
    signature = packed.signature
    sample = {name: array[np.arange(rows) % len(array)] for name, array in signature.encode(signature.sample).items()}
    try:
        given = packed.run(sample)
    except Exception as error:  # a model is anybody's and may raise anything
        raise PackageRefused(
            f"The graph of {signature.name} cannot answer a batch of {rows}: {' '.join(str(error).split())[:300]}. "
            "Export it with a dynamic first dimension of every input (torch.export.Dim, of any size from 1, traced on "
            "2 rows; in ONNX a named dimension)."
        ) from error
    for spec in signature.outputs:
        if len(given[spec.name]) != rows:
            raise PackageRefused(
                f"The graph of {signature.name} gives {len(given[spec.name])} rows of {spec.name!r} for {rows}; a "
                f"model answers each row by one of shape {list(spec.shape[1:])}."
            )
    return given


def _check_output(model: str, spec: TensorSpec, given: Array) -> None:
    texts = spec.datatype == "BYTES" and all(isinstance(value, str) for value in given.ravel().tolist())
    if not texts and given.dtype == spec.dtype and not np.isfinite(given).all():
        raise PackageRefused(
            f"Output {spec.name!r} of {model} is NaN or infinite for a row of its sample; look at that row and at the "
            "weights."
        )
    if not texts and given.dtype != spec.dtype:
        raise PackageRefused(f"Output {spec.name!r} of {model} is {given.dtype}; {spec.datatype} is signed.")


def _check_alone(signature: Signature, alone: dict[str, Array], among: dict[str, Array]) -> None:
    for spec in signature.outputs:
        one, other = alone[spec.name][:1], among[spec.name][:1]
        same = (
            np.array_equal(one, other)
            if spec.datatype == "BYTES"
            else np.allclose(one, other, atol=TOLERANCE, rtol=TOLERANCE)
        )
        if not same:
            raise PackageRefused(
                f"{signature.name} answers a row alone by another {spec.name!r} than the same row among others; a "
                "server puts rows together as they come. Export it for inference: without dropout, and without "
                "statistics over the batch."
            )
