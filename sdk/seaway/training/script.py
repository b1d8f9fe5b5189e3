"""`python -m seaway.training.script --spec spec.json`: a plain script as a training, its model found by its kind.

The script gets its paths as variables of the environment and its arguments as an argument parser takes them, and
leaves a model file of any flavour in the output folder. What Seaway has to know beside it, its signature, is taken from
the file, from a few training rows, and from trying it; a script that writes `signature.json` itself has the last word.
"""

import json
import os
import runpy
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seaway import tasks
from seaway.errors import InvalidSpec, TrainingFailed
from seaway.models import flavours
from seaway.models.importing import sample_of
from seaway.models.importing.measured import adopted_signature
from seaway.models.signature import SIGNATURE_FILE, Signature
from seaway.storage import write_json
from seaway.training import jax_processes, stand_ins
from seaway.training.command_line import start
from seaway.training.spec import TrainSpec

PATHS = {
    "train": "SEAWAY_TRAIN",
    "validation": "SEAWAY_VALIDATION",
    "output": "SEAWAY_OUTPUT",
    "checkpoints": "SEAWAY_CHECKPOINTS",
}
SEED, FINGERPRINT = "SEAWAY_SEED", "SEAWAY_FINGERPRINT"


@dataclass(frozen=True)
class ScriptParams:
    """`params` of a plain script.

    Attributes:
        script: Path of the Python file; relative ones to the folder that the run was started in.
        arguments: Written as `--name value` after it; true as `--name` alone, false and null not at all.
        label: Column of what is predicted, which is no input.
        task: What it means to predict it; empty where nobody has to know.
        name: Of the model.
        signature: Inputs, outputs, sample or target, where neither the file nor the rows tell them.
        constants: Values of inputs that are no rows of data.
        prediction: The output that is the prediction; empty takes the first one of numbers.
    """

    script: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    task: str = ""
    name: str = "model"
    signature: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    prediction: str = ""

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "ScriptParams":
        """Raises: InvalidSpec: a parameter is missing or unknown."""
        try:
            return cls(**params)
        except TypeError as error:
            known = ", ".join(cls.__dataclass_fields__)
            raise InvalidSpec(
                f"params of a script: {error}; there are {known}. The script's own are 'arguments'."
            ) from error

    @property
    def command(self) -> list[str]:
        """The script's arguments."""
        return [part for name, value in self.arguments.items() for part in _argument(name, value)]


def _argument(name: str, value: Any) -> Iterator[str]:
    if value is None or value is False:
        return
    yield f"--{name}"
    if isinstance(value, (list, tuple)):
        yield from map(str, value)
    elif value is not True:
        yield value if isinstance(value, str) else json.dumps(value)


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Run the script, and make its model the training's result; the first process does that alone."""
    params = ScriptParams.parse(spec.params)
    _run(spec, fingerprint, params)
    if os.environ.get("RANK", "0") == "0":
        collect(spec, params)


def paths(spec: TrainSpec, fingerprint: str) -> dict[str, str]:
    """The variables of a script: its files, its seed, and the name of its training."""
    files = {variable: str(getattr(spec, name).absolute()) for name, variable in PATHS.items()}
    return {**files, SEED: str(spec.seed), FINGERPRINT: fingerprint}


def _run(spec: TrainSpec, fingerprint: str, params: ScriptParams) -> None:
    """In this process, so that what torch.distributed, signals and a debugger say of it is so of the script."""
    os.environ.update(paths(spec, fingerprint))
    script = Path(params.script).absolute()
    sys.path.insert(0, str(script.parent))
    sys.argv = [str(script), *params.command]
    stand_ins.offer()
    jax_processes.offer()
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


def collect(spec: TrainSpec, params: ScriptParams) -> None:
    """Complete what the script left: the flavour's files, `signature.json`, `metrics.json`, `history.jsonl`.

    Raises:
        TrainingFailed: the script left no model, or more than one.
        PackageRefused, InvalidSpec: it is none that can be served, or more has to be said of it.
    """
    if not (spec.output / "metrics.json").exists():
        write_json(spec.output / "metrics.json", {})
    (spec.output / "history.jsonl").touch()
    if (spec.output / SIGNATURE_FILE).is_file():
        return
    with tempfile.TemporaryDirectory(dir=spec.output.parent) as aside:
        left = _model_file(spec.output)
        source = left.rename(Path(aside) / left.name)
        _with_target(adopted_signature(_order(spec, params, source), spec.output), spec, params).write(spec.output)


def _model_file(output: Path) -> Path:
    endings = {ending for flavour in flavours.every() for ending in flavour.sources} - {"/", ".json", ".txt"}
    named = {name for flavour in flavours.every() for name in flavour.files}
    found = [
        file
        for file in sorted(output.iterdir())
        if file.is_file() and (file.suffix in endings or file.name in named - {"model.safetensors"})
    ]
    if len(found) != 1:
        what = f"{len(found)} models ({', '.join(file.name for file in found)})" if found else "no model"
        raise TrainingFailed(
            f"The script left {what} in {output}; it leaves one there, by its kind: a file that ends in "
            f"{', '.join(sorted(endings))}. Its folder is in the variable SEAWAY_OUTPUT."
        )
    return found[0]


def _order(spec: TrainSpec, params: ScriptParams, source: Path) -> dict[str, Any]:
    return {
        "flavour": flavours.recognized(source).name,
        "source": str(source),
        "name": params.name,
        "signature": dict(params.signature),
        "sample": {} if params.signature.get("sample") else sample_of(spec.train),
        "constants": dict(params.constants),
        "target": {"task": params.task, "label": params.label} if params.task else None,
    }


def _with_target(signature: Signature, spec: TrainSpec, params: ScriptParams) -> Signature:
    """The target, which learns from the training labels."""
    from seaway.evaluation import rows

    if signature.target is None:
        return signature
    numbers = (one.name for one in signature.outputs if one.datatype.startswith("FP"))
    target = replace(signature.target, output=params.prediction or next(numbers, signature.outputs[0].name))
    labels = rows.column(rows.read(spec.train, target.label, ()), target.label)
    return replace(signature, target=tasks.learnt(target, labels, str(spec.train)))


if __name__ == "__main__":
    start(main, __doc__)
