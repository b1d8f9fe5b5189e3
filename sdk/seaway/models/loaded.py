"""A loaded model of any flavour: called with named columns, it answers arrays by name."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seaway.errors import InvalidSpec
from seaway.models import flavours
from seaway.models.signature import Array, Column, Signature

Answer = Callable[[Sequence[Array]], Sequence[Array]]


@dataclass(frozen=True)
class LoadedModel:
    """What a flavour loaded: `answer` takes the encoded inputs in the signature's order and gives its outputs."""

    signature: Signature
    answer: Answer

    def predict(self, columns: Mapping[str, Column]) -> dict[str, Array]:
        """Outputs by name for rows given as columns, in one pass: [rows, ...] arrays of the signature's datatypes.

        Raises:
            InvalidSpec: a column is missing, unknown, of a wrong datatype or shape, or there is no row.
        """
        encoded = self.signature.encode(columns)
        if not len(next(iter(encoded.values()))):
            raise InvalidSpec(f"Model {self.signature.name!r} was given no rows; give at least one.")
        return self.run(encoded)

    def run(self, encoded: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name for the arrays that `Signature.encode` gives. Raises: what the model raises."""
        answers = by_length(self.signature, self.answer, list(encoded.values()))
        return {
            spec.name: np.asarray(value).reshape(-1, *spec.shape[1:])
            for spec, value in zip(self.signature.outputs, answers, strict=True)
        }


def load(folder: Path, threads: int | None = None) -> LoadedModel:
    """Load a trained model or a package, whatever its flavour; a package is to be verified before.

    Args:
        folder: What holds `signature.json` and the flavour's files.
        threads: That one answer is computed on; None leaves the library's setting.

    Raises:
        PackageRefused: loading could run code, or the model is not of its signature.
        DataUnreadable: a file is missing.
        InvalidSpec: what loads this flavour is not installed.
    """
    signature = Signature.read(folder)
    flavour = flavours.of(signature)
    flavour.check(folder)
    signature.check_stages()
    return LoadedModel(signature, flavour.load(folder, signature, threads))


def by_length(signature: Signature, answer: Answer, arrays: Sequence[Array]) -> Sequence[Array]:
    """The answer for encoded inputs; rows whose lists have one length are answered together, others apart.

    Nothing is padded, so that a row's answer does not depend on its neighbours.
    """
    if not signature.has_lists:
        return answer(arrays)
    groups = defaultdict[tuple[object, ...], list[int]](list)
    for row in range(len(arrays[0])):
        groups[tuple(array[row].shape for array, spec in _lists(signature, arrays))].append(row)
    answers = [answer(_picked(signature, arrays, rows)) for rows in groups.values()]
    order = np.argsort(np.concatenate(list(groups.values())))
    return [np.concatenate(parts)[order] for parts in zip(*answers, strict=True)]


def _lists(signature: Signature, arrays: Sequence[Array]) -> list[tuple[Array, object]]:
    return [(array, spec) for array, spec in zip(arrays, signature.inputs, strict=True) if spec.is_list]


def _picked(signature: Signature, arrays: Sequence[Array], rows: Sequence[int]) -> list[Array]:
    """The tensors of rows that are alike in length."""
    return [
        np.stack([array[row] for row in rows]) if spec.is_list else array[rows]
        for array, spec in zip(arrays, signature.inputs, strict=True)
    ]
