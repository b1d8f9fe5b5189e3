"""The signature of an adopted model: what its file says, what is said of it, and what trying it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seaway.errors import InvalidSpec, PackageRefused
from seaway.models import flavours
from seaway.models.flavours import Adopted, Flavour, Options
from seaway.models.loaded import by_length
from seaway.models.signature import DTYPES, Array, Signature, TensorSpec
from seaway.tasks import Target

MADE_UP_ROWS = 2
MADE_UP_LENGTH = 32  # of a list
DATATYPES = {dtype: name for name, dtype in DTYPES.items() if name != "BYTES"}


def adopted_signature(order: Mapping[str, Any], folder: Path) -> Signature:
    """Write the model's files into `folder`, and give its whole signature.

    Args:
        order: As `ImportSpec` has it: `flavour`, `source`, `name`, `signature`, `sample`, `constants`, and `target`,
            which the signature may have as well.
        folder: Empty.

    Raises:
        PackageRefused: the file is none of its kind, could run code, or cannot be tried.
        InvalidSpec: nobody says what the inputs are, or it was said wrong.
    """
    flavour = flavours.named(order["flavour"])
    said = order["signature"]
    sample = said.get("sample") or order["sample"]
    adopted = flavour.adopt(Path(order["source"]), folder, Options(sample, order["constants"]))
    target = _target(said.get("target") or order["target"], adopted)
    inputs = _inputs(said, adopted, {name: sample[name] for name in sample if not target or name != target.label})
    names = adopted.outputs or tuple(spec["name"] for spec in said.get("outputs", ())) or ("output",)
    draft = Signature(
        name=said.get("name") or order["name"],
        inputs=inputs,
        outputs=tuple(TensorSpec(name, "FP32") for name in names),
        flavour=adopted.flavour,
        strings=said.get("strings", adopted.strings),
    )
    draft = replace(draft, sample=_sample(inputs, sample))
    outputs = _outputs(said, draft, _tried(flavours.named(adopted.flavour), draft, folder), adopted.outputs)
    return replace(draft, outputs=outputs, target=target)


def _inputs(said: Mapping[str, Any], adopted: Adopted, sample: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    """As they were said, else as the file has them, else as the sample looks."""
    if said.get("inputs"):
        given = _specs(said["inputs"])
        if adopted.inputs and {one.name for one in given} != {one.name for one in adopted.inputs}:
            raise InvalidSpec(
                f"The signature names the inputs {sorted(one.name for one in given)}; the model has "
                f"{sorted(one.name for one in adopted.inputs)}."
            )
        return given
    if adopted.inputs:
        return adopted.inputs
    if not sample:
        raise InvalidSpec(
            "The file does not say what the model's inputs are; give --sample with a few rows, or --signature."
        )
    return tuple(_looks(name, values) for name, values in sample.items())


def _specs(values: Sequence[Mapping[str, Any]]) -> tuple[TensorSpec, ...]:
    try:
        return tuple(TensorSpec(**value) for value in values)
    except TypeError as error:
        raise InvalidSpec(f"Not a signature: {error}; see docs/reference/model-package.md.") from error


def _looks(name: str, values: Sequence[Any]) -> TensorSpec:
    """Of a sample's column: text, whole numbers or numbers, [rows, 1] where rows are single values."""
    flat = np.asarray(values, object)
    kinds = {type(value) for value in flat.ravel().tolist()} - {type(None)}
    datatype = "BYTES" if kinds <= {str} else "BOOL" if kinds <= {bool} else "INT64" if kinds <= {int} else "FP32"
    return TensorSpec(name, datatype, (-1, *(flat.shape[1:] or (1,))))


def _sample(inputs: Sequence[TensorSpec], sample: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """The inputs' columns; made up where there is no sample at all."""
    if not sample:
        generator = np.random.default_rng(0)
        return {spec.name: _made_up(spec, generator) for spec in inputs}
    if missing := [spec.name for spec in inputs if spec.name not in sample]:
        raise InvalidSpec(f"The sample lacks the input {', '.join(missing)}; it has {', '.join(sample)}.")
    return {spec.name: list(sample[spec.name]) for spec in inputs}


def _made_up(spec: TensorSpec, generator: np.random.Generator) -> list[Any]:
    shape = [MADE_UP_ROWS, *(MADE_UP_LENGTH if size == -1 else size for size in spec.shape[1:])]
    if spec.datatype.startswith("FP"):
        values: list[Any] = generator.normal(size=shape).round(3).tolist()
        return values
    plain: dict[str, Any] = {"BYTES": "a", "BOOL": False}
    filled: list[Any] = np.full(shape, plain.get(spec.datatype, 0), object).tolist()
    return filled


def _tried(flavour: Flavour, draft: Signature, folder: Path) -> list[Array]:
    """What the model answers to the sample. Raises: PackageRefused: rows do not come first."""
    flavour.check(folder)
    answers = by_length(draft, flavour.load(folder, draft, None), list(draft.encode(draft.sample).values()))
    rows = len(next(iter(draft.sample.values())))
    for answer in answers:
        if np.shape(answer)[:1] != (rows,):
            raise PackageRefused(
                f"{draft.name} gives an output of shape {list(np.shape(answer))} for {rows} rows; a model answers each "
                "row by one. Export it so, without what belongs to a whole batch."
            )
    return [np.asarray(answer) for answer in answers]


def _outputs(
    said: Mapping[str, Any], draft: Signature, answers: Sequence[Array], names: Sequence[str]
) -> tuple[TensorSpec, ...]:
    if said.get("outputs"):
        return _specs(said["outputs"])
    if not names:
        names = [one.name for one in draft.outputs]
        names = names if len(answers) == 1 else [f"output_{place}" for place in range(len(answers))]
    return tuple(_measured(name, answer) for name, answer in zip(names, answers, strict=True))


def _measured(name: str, answer: Array) -> TensorSpec:
    datatype = DATATYPES.get(answer.dtype, "BYTES" if answer.dtype.kind in "OU" else "")
    if not datatype:
        raise InvalidSpec(f"Output {name!r} is {answer.dtype}, which the Open Inference Protocol has no datatype for.")
    return TensorSpec(name, datatype, (-1, *answer.shape[1:]))


def _target(said: Mapping[str, Any] | None, adopted: Adopted) -> Target | None:
    """What is predicted; names of classes are the model's where nobody says others and labels are no 0 and 1."""
    if not said:
        return None
    target = Target.from_json(said)
    if target.classes or target.task == "regression" or adopted.classes == ("0", "1"):
        return target
    return replace(target, classes=adopted.classes)
