"""What is imported, and the steps of it: adopted and proved in a process of its own, checked, signed."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seaway import tasks
from seaway.errors import DataUnreadable, InvalidSpec, PackageRefused
from seaway.models import flavours
from seaway.models.importing.apart import Limits, run_apart
from seaway.models.lineage import Lineage, code_version
from seaway.models.package import PICKLE_SUFFIXES, Package, check_start, package
from seaway.models.signature import Signature
from seaway.storage import read_json, sha256
from seaway.tasks import Target

MAX_SAMPLE = 5  # rows that a signature keeps
CSV = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class ImportSpec:
    """A model that is to be imported.

    Args:
        source: The file, or the folder, of the model.
        name: Of the model.
        flavour: Of the file; empty goes by its ending.
        signature: What is said of inputs, outputs, sample and target, as in `signature.json`; what it leaves out is
            taken from the file and from trying it.
        sample: A few rows of every input, by name; other columns are passed over. Empty makes rows up.
        constants: Values of inputs that are no rows of data, by name; they become part of the model.
        task: What is predicted; empty where nobody has to know.
        label: The column that has it.
        classes: Names of its classes.
        prediction: The output that is the prediction; empty takes the first one, or for a task the first of numbers.
        train: Table of the rows that the model was trained on, where there is one: the task learns from its labels,
            and drift is measured against it.
        digest: SHA-256 that the file must have, in hex; empty takes any.
        limits: Memory and time of the process that tries the model.
    Raises:
        InvalidSpec: a field contradicts another one.
    """

    source: Path
    name: str
    flavour: str = ""
    signature: Mapping[str, Any] = field(default_factory=dict)
    sample: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""
    label: str = ""
    classes: Sequence[str] = ()
    prediction: str = ""
    train: Path | None = None
    digest: str = ""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", Path(self.source))
        if bool(self.task) != bool(self.label):
            raise InvalidSpec("A task needs the column of its label, and a label its task; give both or neither.")
        if not isinstance(self.signature, Mapping):
            raise InvalidSpec("The signature is no JSON object; see docs/reference/model-package.md.")


def import_model(spec: ImportSpec, output: Path, key: Path) -> Package:
    """Make a signed package of a model file, tried on a sample within bounds of memory and time.

    Args:
        spec: What is imported.
        output: The package folder; replaced whole when the package is complete, untouched when it cannot be.
        key: Private EC key in PEM, see `signing_keys`.

    Raises:
        PackageRefused: the file is none of its kind, has another digest, could run code, or does not answer its sample.
        InvalidSpec: something has to be said that the file does not say, or what reads it is not installed.
        DataUnreadable: the training rows cannot be read, or their labels are none of the task.
    """
    flavour = flavours.named(spec.flavour) if spec.flavour else recognized(spec.source)
    digest = _digest(spec)
    with tempfile.TemporaryDirectory(prefix="seaway-import-") as scratch:
        model = Path(scratch) / "model"
        model.mkdir()
        run_apart({**_order(spec), "flavour": flavour.name}, model, spec.limits)
        signature = Signature.read(model)
        replace(signature, target=_target(spec, signature)).write(model)
        return package(model, output, _lineage(spec, digest), key, proof=_proved_already)


def recognized(source: Path) -> flavours.Flavour:
    """The flavour of a file by its ending. Raises: PackageRefused: a pickle, or nothing; InvalidSpec: of no kind."""
    if not source.exists():
        raise PackageRefused(f"{source} does not exist; give the file or folder of a model.")
    if source.is_file():
        check_start(source)
        if source.suffix.lower() in PICKLE_SUFFIXES - {".pt", ".pth"}:
            raise PackageRefused(
                f"{source} is a pickle by its name; loading one runs code. Write the model anew in a format without: "
                "torch.export.save, skops.io.dump, Booster.save_model, or ONNX."
            )
    elif (source / "saved_model.pb").is_file():
        raise PackageRefused(
            f"{source} is a SavedModel of TensorFlow, whose loader runs what the graph says, so it is refused. Make an "
            f"ONNX model of it where TensorFlow is: python -m tf2onnx.convert --saved-model {source} --output "
            "model.onnx, and import that."
        )
    return flavours.recognized(source)


def _proved_already(folder: Path) -> None:
    """The process that adopted the model proved it; what it wrote is what is packed."""


def _order(spec: ImportSpec) -> dict[str, Any]:
    return {
        "source": str(spec.source.absolute()),
        "name": spec.name,
        "signature": dict(spec.signature),
        "sample": {name: list(values)[:MAX_SAMPLE] for name, values in spec.sample.items()},
        "constants": dict(spec.constants),
        "target": {"task": spec.task, "label": spec.label, "classes": list(spec.classes)} if spec.task else None,
    }


def _digest(spec: ImportSpec) -> str:
    """Of a file; of a folder, over the hashes of its files. Raises: PackageRefused: it is another one than was said."""
    if spec.source.is_dir():
        files = sorted(file for file in spec.source.rglob("*") if file.is_file())
        found = {str(file.relative_to(spec.source)): sha256(file) for file in files}
        digest = json.dumps(found, sort_keys=True)
    else:
        digest = sha256(spec.source)
    if spec.digest and digest != spec.digest.lower().removeprefix("sha256:"):
        raise PackageRefused(
            f"{spec.source} has the SHA-256 {digest[:16]}…, and not the {spec.digest[:16]}… that was said; it is "
            "damaged, or another file. Get it again from its source."
        )
    return digest


def _target(spec: ImportSpec, signature: Signature) -> Target | None:
    """What is predicted and by which output; learnt from the training rows where there are any."""
    said = signature.target
    if said is None:
        return None
    target = replace(said, output=spec.prediction or said.output or _first_of_numbers(signature))
    if spec.train is None:
        return target
    return tasks.learnt(target, _labels(spec.train, target.label), str(spec.train))


def _first_of_numbers(signature: Signature) -> str:
    """A classifier in ONNX often gives the label first and then the probabilities."""
    return next((one.name for one in signature.outputs if one.datatype.startswith("FP")), signature.outputs[0].name)


def _labels(train: Path, label: str) -> Any:
    from seaway.evaluation import rows as held_out

    return held_out.column(held_out.read(train, label, ()), label)


def _lineage(spec: ImportSpec, digest: str) -> Lineage:
    said = {"imported": spec.source.name, "sha256": digest[:1024]}
    known = sha256(spec.train) if spec.train else ""
    return Lineage(known, code_version(), said, source=spec.source.name)


def sample_of(file: Path) -> dict[str, Any]:
    """A few rows by column, of JSON lists by name, of a CSV, or of Parquet. Raises: InvalidSpec, DataUnreadable."""
    if file.suffix.lower() == ".json":
        columns = read_json(file)
        if not isinstance(columns, dict) or not all(isinstance(values, list) for values in columns.values()):
            raise InvalidSpec(f'{file} has no lists by name; write {{"plan": ["pro"], "income": [2475.0]}}.')
        return {name: values[:MAX_SAMPLE] for name, values in columns.items()}
    return _of_csv(file) if file.suffix.lower() in CSV else _of_parquet(file)


def _of_csv(file: Path) -> dict[str, Any]:
    from seaway.data.files import columns, read_file

    kinds = {column.name: column.kind for column in columns(file)[1]}
    return dict(read_file(str(file), kinds).slice(0, MAX_SAMPLE).to_pydict())


def _of_parquet(file: Path) -> dict[str, Any]:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        return dict(next(ParquetFile(file).iter_batches(MAX_SAMPLE)).to_pydict())
    except (OSError, ArrowInvalid, StopIteration) as error:
        raise DataUnreadable(
            f"{file} has no rows of Parquet ({error}); give JSON lists by name, CSV or Parquet."
        ) from error
