"""What a model takes and returns, and the one encoding of inputs that training and serving share.

Datatypes are those of the Open Inference Protocol (KServe, "V2"). An exported graph takes tensors only, so for it a
string becomes a fixed 64-bit hash here and the vocabulary look-up happens inside the graph; models of other flavours
get strings as they are. An input with a preprocessing stage, such as a picture, becomes what its stage makes.
"""

import contextlib
import functools
import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seaway.errors import InvalidSpec, PackageRefused
from seaway.models.preprocessing import PROOF, digest, is_binary, stage, stage_class
from seaway.storage import read_json, write_json
from seaway.tasks import Target

SIGNATURE_FILE = "signature.json"
EMBEDDING = "embedding"  # the output by which drift of pictures and texts is found
HASH_BYTES = 8  # one int64
CACHED_HASHES = 1 << 16  # distinct strings; about 10 MB
TORCH_EXPORT = "torch_export"  # the flavour of a signature that names none
HASHED, TEXT = "hashed", "text"  # how strings reach the model
MAX_ROW_VALUES = 1 << 24  # of one input's row; a request that holds as many is far beyond what a server takes

Array = npt.NDArray[Any]
Column = Array | Sequence[Any]

# Open Inference Protocol datatype -> dtype of the encoded array
DTYPES: dict[str, np.dtype[Any]] = {
    "BYTES": np.dtype(np.int64),
    "BOOL": np.dtype(np.bool_),
    **{f"INT{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
}


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its Open Inference Protocol datatype, its shape with -1 for the rows, its unit.

    A further -1 in an input's shape is a list: of any length of at least 1, another one in each row. `preprocessing`
    names the stage of an input that is a picture or a text by `kind` and its settings; none for others.
    """

    name: str
    datatype: str
    shape: tuple[int, ...] = (-1, 1)
    unit: str = ""
    preprocessing: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        if not self.name:
            raise InvalidSpec("A tensor of a signature has no name; give each input and output one.")
        if self.datatype not in DTYPES:
            raise InvalidSpec(f"{self.name!r} has datatype {self.datatype!r}; there are: {', '.join(DTYPES)}.")
        if not all(isinstance(size, int) for size in self.shape):
            raise InvalidSpec(f"{self.name!r} has shape {self.shape}; its sizes are integers.")
        if not self.shape or self.shape[0] != -1 or any(size < 1 and size != -1 for size in self.shape[1:]):
            raise InvalidSpec(
                f"{self.name!r} has shape {self.shape}; the first size is -1 (rows), all others positive, or -1 for "
                "lists of any length."
            )
        if math.prod(abs(size) for size in self.shape) > MAX_ROW_VALUES:
            raise InvalidSpec(
                f"{self.name!r} has shape {self.shape}: a row of more than {MAX_ROW_VALUES} values cannot be sent to "
                "a server; give the shape that the model is called with."
            )
        if self.preprocessing and (self.datatype, math.prod(self.shape[1:])) != ("BYTES", 1):
            raise InvalidSpec(f"{self.name!r} has a preprocessing stage; it is BYTES, one value a row.")

    @functools.cached_property
    def is_list(self) -> bool:
        """Whether rows may differ in length."""
        return -1 in self.shape[1:]

    @property
    def binary(self) -> bool:
        """Whether its values are bytes and no text."""
        return is_binary(self.preprocessing)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the tensor that the graph sees; int64 for BYTES."""
        return DTYPES[self.datatype]


@dataclass(frozen=True)
class Signature:
    """Inputs in the order of the graph's positional arguments, outputs in the order of what it returns.

    `sample` holds a few rows of every input, as JSON values (null: missing); a package is proved on them. `target` says
    what is predicted; None where whoever uses the model has to say. `flavour` is what the model is on disk, `strings`
    how they reach it: hashed to int64, or as text.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    sample: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    target: Target | None = None
    flavour: str = TORCH_EXPORT
    strings: str = HASHED
    folder: Path | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "outputs", tuple(self.outputs))
        if not isinstance(self.name, str):
            raise InvalidSpec(f"A model cannot be called {self.name!r}, which is no text; give its name as text.")
        if not self.name or not self.inputs or not self.outputs:
            raise InvalidSpec(f"The signature of model {self.name!r} needs a name, an input and an output.")
        names = [spec.name for spec in self.inputs + self.outputs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidSpec(
                f"The signature of model {self.name!r} names {', '.join(twice)} twice; each input and each output "
                "needs a name of its own: call a column of the data otherwise where it has an output's."
            )
        if self.strings not in (HASHED, TEXT):
            raise InvalidSpec(f"Strings of model {self.name!r} are {self.strings!r}; they are {HASHED} or {TEXT}.")
        if lists := [spec.name for spec in self.outputs if spec.is_list]:
            raise InvalidSpec(
                f"Output {lists[0]!r} of model {self.name!r} is a list; only inputs are, outputs have fixed sizes."
            )
        if self.target and self.target.output not in ("", *(spec.name for spec in self.outputs)):
            raise InvalidSpec(f"Model {self.name!r} has no output {self.target.output!r}, which its target names.")
        if self.sample:
            self._check_sample()

    def _check_sample(self) -> None:
        """That it can be encoded, but for what stages make: `check_stages` asks them."""
        self._check_names(self.sample)
        _same_rows(self.name, {name: len(values) for name, values in self.sample.items()})
        for spec in self.inputs:
            if not spec.preprocessing:
                self.encode_input(spec, self.sample[spec.name])

    def proved(self) -> "Signature":
        """With the hash of what each stage makes of the sample here, where the model was trained."""
        return replace(self, inputs=tuple(map(self._proved, self.inputs)))

    def _proved(self, spec: TensorSpec) -> TensorSpec:
        if not spec.preprocessing:
            return spec
        proof = digest(self.encode_input(spec, self.sample[spec.name]))
        return replace(spec, preprocessing={**spec.preprocessing, PROOF: proof})

    def check_stages(self) -> None:
        """See that each stage makes here of the sample what it made where the model was trained.

        Raises:
            PackageRefused: it makes something else, or cannot; nothing that the model answered could be trusted.
        """
        for spec in self.inputs:
            if PROOF in spec.preprocessing:
                _check_proof(self.name, spec, digest(self.encode_input(spec, self.sample[spec.name])))

    @property
    def prediction(self) -> str:
        """The output that is the prediction: the target's, else the first."""
        return self.target.output if self.target and self.target.output else self.outputs[0].name

    @property
    def files(self) -> frozenset[str]:
        """Those that its stages read, beside the signature."""
        return frozenset(
            name for spec in self.inputs if spec.preprocessing for name in stage_class(spec.preprocessing).files
        )

    @property
    def has_lists(self) -> bool:
        """Whether an input's rows may differ in length."""
        return any(spec.is_list for spec in self.inputs)

    @functools.cached_property
    def alike(self) -> tuple[tuple[TensorSpec, ...], ...]:
        """The inputs in groups: those of one value a row by datatype and shape, each other one by itself."""
        groups = defaultdict[object, list[TensorSpec]](list)
        for spec in self.inputs:
            alone = spec.preprocessing or math.prod(spec.shape[1:]) != 1 or spec.is_list
            groups[spec.name if alone else (spec.datatype, spec.shape)].append(spec)
        return tuple(map(tuple, groups.values()))

    def encode(self, columns: Mapping[str, Column]) -> dict[str, Array]:
        """Arrays for the graph, by input name in the signature's order, each of shape [rows, *shape[1:]].

        An input of lists is an array of objects, [rows], each an array of its own length; `seaway.models.loaded` has
        what makes tensors of them.

        Raises:
            InvalidSpec: an input is missing, unknown, or has a wrong datatype, shape or number of rows.
        """
        self._check_names(columns)
        arrays = {spec.name: self.encode_input(spec, columns[spec.name]) for spec in self.inputs}
        _same_rows(self.name, {name: len(array) for name, array in arrays.items()})
        return arrays

    def _check_names(self, columns: Mapping[str, Column]) -> None:
        known = {spec.name for spec in self.inputs}
        if known == columns.keys():
            return
        missing, unknown = sorted(known - columns.keys()), sorted(columns.keys() - known)
        raise InvalidSpec(
            f"Model {self.name!r} was given other inputs than it takes: missing {missing}, unknown {unknown}; "
            f"its inputs are {sorted(known)}."
        )

    def encode_input(self, spec: TensorSpec, values: Column) -> Array:
        """The array of one input, see `encode`. Raises: InvalidSpec: its values do not fit; the message names it."""
        try:
            if spec.preprocessing:
                flat = _shaped(_as_array(values, np.dtype(object)), spec.shape).ravel().tolist()
                return stage(spec.preprocessing, self.folder).encode(flat)
            if spec.is_list:
                return _lists(values, spec, self.strings)
            return _shaped(encode(values, spec.datatype, self.strings), spec.shape)
        except InvalidSpec as error:
            raise InvalidSpec(f"Input {spec.name!r} ({spec.datatype}) of model {self.name!r}: {error}") from error

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inputs": [_tensor_json(spec) for spec in self.inputs],
            "outputs": [_tensor_json(spec) for spec in self.outputs],
            "sample": {name: list(values) for name, values in self.sample.items()},
            **({"target": self.target.to_json()} if self.target else {}),
            **({"flavour": self.flavour} if self.flavour != TORCH_EXPORT else {}),
            **({"strings": self.strings} if self.strings != HASHED else {}),
        }

    @classmethod
    def from_json(cls, value: Any, folder: Path | None = None) -> "Signature":
        """Raises: InvalidSpec where a field is missing, unknown or of another form."""
        try:
            return cls(
                name=value["name"],
                inputs=tuple(TensorSpec(**spec) for spec in value["inputs"]),
                outputs=tuple(TensorSpec(**spec) for spec in value["outputs"]),
                sample=value.get("sample", {}),
                target=Target.from_json(value["target"]) if value.get("target") else None,
                flavour=value.get("flavour", TORCH_EXPORT),
                strings=value.get("strings", HASHED),
                folder=folder,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidSpec(f"Not a signature: {error!r}; see docs/reference/model-package.md.") from error

    def write(self, folder: Path) -> None:
        """Write `signature.json` into `folder`, atomically."""
        write_json(folder / SIGNATURE_FILE, self.to_json())

    @classmethod
    def read(cls, folder: Path) -> "Signature":
        """Read `signature.json` of `folder`. Raises: DataUnreadable, InvalidSpec."""
        return cls.from_json(read_json(folder / SIGNATURE_FILE), folder)


def encode(values: Column, datatype: str, strings: str = HASHED) -> Array:
    """Values as the graph takes them, of the same shape.

    BYTES become int64: the first 8 bytes, little endian, of BLAKE2b-64 (RFC 7693) over the value's UTF-8; a missing
    string (None, NaN) is hashed as the empty one. Where `strings` is `text`, they stay str, a missing one empty.
    Missing floats (None, NaN) become NaN. All else must fit exactly in kind: no strings for numbers, no fractions for
    integers, no infinities.

    Raises:
        InvalidSpec: unknown datatype, or values of another kind, out of range or infinite.
    """
    if datatype not in DTYPES:
        raise InvalidSpec(f"there is no datatype {datatype!r}, only: {', '.join(DTYPES)}.")
    if datatype == "BYTES":
        array = _as_array(values, np.dtype(object))
        return _hashes(array) if strings == HASHED else _texts(array)
    if datatype == "UINT64":
        return _exact(_unsigned(values), DTYPES[datatype])
    array = _as_array(values)
    return _floats(array, DTYPES[datatype]) if datatype.startswith("FP") else _exact(array, DTYPES[datatype])


def _as_array(values: Column, dtype: np.dtype[Any] | None = None) -> Array:
    try:
        array = np.asarray(values, dtype)
    except ValueError as error:
        raise InvalidSpec("its rows differ in length; give every row the same number of values.") from error
    if array.ndim == 0:
        raise InvalidSpec("it is a single value; give a list or an array with one entry a row.")
    return array


def _hashes(array: Array) -> Array:
    try:
        hashes = np.fromiter(map(_hash, array.ravel().tolist()), np.int64, array.size)
    except (TypeError, UnicodeEncodeError) as error:
        raise InvalidSpec(f"it holds a value that is no string ({error}).") from error
    return hashes.reshape(array.shape)


def _texts(array: Array) -> Array:
    texts = np.empty(array.size, object)
    try:
        texts[:] = [_raw(value).decode() for value in array.ravel().tolist()]
    except UnicodeError as error:
        raise InvalidSpec(f"it holds a value that is no string ({error}).") from error
    return texts.reshape(array.shape)


def _raw(value: object) -> bytes:
    """A string's UTF-8; a missing one is empty. Raises: InvalidSpec."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return b""
    raise InvalidSpec(f"it holds {value!r}, strings are wanted.")


@functools.lru_cache(maxsize=CACHED_HASHES)
def _hash(value: object) -> int:
    raw = _raw(value)
    return int.from_bytes(hashlib.blake2b(raw, digest_size=HASH_BYTES).digest(), "little", signed=True)


def _floats(array: Array, dtype: np.dtype[Any]) -> Array:
    numbers = _numbers_or_missing(array) if array.dtype.kind == "O" else array
    if numbers.dtype.kind not in "fiu":
        raise InvalidSpec(f"it holds {array.dtype} values, numbers are wanted.")
    with np.errstate(over="ignore"):
        result = numbers.astype(dtype, copy=False)
    if np.isinf(result).any():
        raise InvalidSpec(f"it holds a value that is infinite or beyond {dtype}; use NaN or null for a missing value.")
    return result


def _numbers_or_missing(array: Array) -> Array:
    flat = array.ravel().tolist()
    for value in flat:
        if isinstance(value, bool) or not (value is None or isinstance(value, (int, float))):
            raise InvalidSpec(f"it holds {value!r}, numbers are wanted.")
    try:
        return np.array([np.nan if value is None else value for value in flat], np.float64).reshape(array.shape)
    except OverflowError as error:
        raise InvalidSpec("it holds an integer beyond float64.") from error


def _unsigned(values: Column) -> Array:
    """Integers that fit: of a list with some below and some beyond int64's greatest, NumPy by itself makes floats."""
    given = values if isinstance(values, np.ndarray) else _as_array(values, np.dtype(object))
    if given.dtype.kind == "O" and set(map(type, given.ravel().tolist())) == {int}:
        with contextlib.suppress(OverflowError):  # told as what it then is
            return given.astype(np.uint64)
    return _as_array(values)


def _exact(array: Array, dtype: np.dtype[Any]) -> Array:
    wanted = "b" if dtype.kind == "b" else "iu"
    if array.dtype.kind not in wanted:
        raise InvalidSpec(f"it holds {array.dtype} values, {dtype} is wanted without missing values or fractions.")
    result = array.astype(dtype, copy=False)
    if array.dtype != dtype and not np.array_equal(result, array):
        raise InvalidSpec(f"it holds a value beyond {dtype}.")
    return result


def _shaped(array: Array, shape: tuple[int, ...]) -> Array:
    """The array with sizes of one added or dropped after the first, as `shape` wants them."""
    if [size for size in array.shape[1:] if size != 1] != [size for size in shape[1:] if size != 1]:
        raise InvalidSpec(f"it has shape {list(array.shape)}, {list(shape)} is wanted.")
    return array.reshape(len(array), *shape[1:])


def _lists(values: Column, spec: TensorSpec, strings: str) -> Array:
    """Each row by itself: [rows] objects, arrays of shape `spec.shape[1:]` with the row's own lengths."""
    rows = np.empty(len(values), object)
    for place, value in enumerate(values):
        row = encode(np.asarray(value, object) if spec.datatype == "BYTES" else value, spec.datatype, strings)
        if row.ndim != len(spec.shape) - 1 or not row.size or any(_differ(row.shape, spec.shape[1:])):
            raise InvalidSpec(
                f"row {place} has shape {list(row.shape)}, {list(spec.shape[1:])} is wanted; -1 is any length from 1."
            )
        rows[place] = row
    return rows


def _differ(sizes: Sequence[int], wanted: Sequence[int]) -> list[bool]:
    return [want not in (-1, size) for size, want in zip(sizes, wanted, strict=True)]


def _tensor_json(spec: TensorSpec) -> dict[str, Any]:
    told = {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape), "unit": spec.unit}
    return told | ({"preprocessing": dict(spec.preprocessing)} if spec.preprocessing else {})


def _same_rows(model: str, rows: Mapping[str, int]) -> None:
    if len(set(rows.values())) > 1:
        raise InvalidSpec(f"The inputs of model {model!r} differ in rows: {dict(rows)}; give all the same number.")


def _check_proof(model: str, spec: TensorSpec, found: str) -> None:
    if found == spec.preprocessing[PROOF]:
        return
    libraries = stage_class(spec.preprocessing).libraries
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    raise PackageRefused(
        f"Input {spec.name!r} of model {model!r} becomes another tensor here, with {versions}, than where the model "
        "was trained, so its answers would be others. Install the versions that it was trained with, or train it anew."
    )
