"""An exported model: graph and signature, loaded without unpickling anything and called with named columns."""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seaway.errors import InvalidSpec, PackageRefused
from seaway.models.flavours.torch_export_safety import SAMPLE_INPUTS, inspect, rewritten
from seaway.models.package_files import GRAPH_FILE
from seaway.models.signature import Array, Column, Signature


@dataclass(frozen=True)
class ExportedModel:
    """A graph that takes the encoded inputs of its signature as positional tensors, in the signature's order."""

    signature: Signature
    graph: torch.nn.Module

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> "ExportedModel":
        """Load `model.pt2` and `signature.json` of a trained model or of a package.

        Args:
            folder: What holds the two files.
            threads: Intra-op threads of this process from now on; None leaves torch's setting.

        Raises:
            PackageRefused: loading the graph could run code, or the graph is not of this signature.
            DataUnreadable: a file is missing.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        return cls.of(folder, Signature.read(folder), load_program(folder / GRAPH_FILE))

    @classmethod
    def of(cls, folder: Path, signature: Signature, program: torch.export.ExportedProgram) -> "ExportedModel":
        """The model of a signature and a program that were read from `folder`.

        Raises:
            PackageRefused: the graph is not of this signature.
        """
        _check_arity(folder, signature, program)
        return cls(signature, program.module())

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
        """Outputs by name for the arrays that `Signature.encode` gives. Raises: what the graph raises."""
        tensors = [torch.from_numpy(_writable(array)) for array in encoded.values()]
        with torch.inference_mode():
            returned = self.graph(*tensors)
        values = returned if isinstance(returned, (tuple, list)) else (returned,)
        return {
            spec.name: value.numpy().reshape(-1, *spec.shape[1:])
            for spec, value in zip(self.signature.outputs, values, strict=True)
        }


def load_program(archive: Path) -> torch.export.ExportedProgram:
    """A `.pt2` file as an exported program; nothing in it is unpickled but tensors by torch's weights-only loader.

    Raises:
        PackageRefused: see `seaway.models.flavours.torch_export_safety`.
    """
    if not archive.is_file():
        raise PackageRefused(f"{archive} does not exist; export the model with torch.export.save to this file.")
    members = inspect(archive)
    try:
        if members[SAMPLE_INPUTS]:
            torch.load(io.BytesIO(members[SAMPLE_INPUTS]), weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise PackageRefused(
            f"{archive} holds sample inputs that are more than tensors ({type(error).__name__}); loading it could run "
            "code, so it is refused. Export the model anew with tensors as its example inputs."
        ) from error
    return _deserialized(archive, members)


def _deserialized(archive: Path, members: dict[str, bytes]) -> torch.export.ExportedProgram:
    try:
        return torch.export.load(rewritten(members))
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        raise PackageRefused(
            f"{archive} is no graph that torch {torch.__version__} can read ({type(error).__name__}: {error}); "
            "export it anew with this version."
        ) from error


def _check_arity(folder: Path, signature: Signature, program: Any) -> None:
    takes, gives = len(program.graph_signature.user_inputs), len(program.graph_signature.user_outputs)
    if (takes, gives) != (len(signature.inputs), len(signature.outputs)):
        raise PackageRefused(
            f"The graph in {folder} takes {takes} tensors and returns {gives}, its signature names "
            f"{len(signature.inputs)} and {len(signature.outputs)}; write the signature of this graph."
        )


def _writable(array: Array) -> Array:
    return array if array.flags.writeable else array.copy()
