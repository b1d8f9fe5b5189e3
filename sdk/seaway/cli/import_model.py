"""`seaway import-model`: a signed, proved package of a model that Seaway did not train."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from seaway.cli.output import print_json
from seaway.errors import InvalidSpec


@dataclass(frozen=True)
class Said:
    """What the command line says about the model; see `seaway.models.importing.ImportSpec`."""

    source: Path
    name: str
    flavour: str
    signature: Path | None
    sample: Path | None
    constants: Sequence[str]
    task: str
    label: str
    classes: str
    prediction: str
    train: Path | None
    digest: str


def import_file(said: Said, output: Path, as_json: bool) -> None:
    """Import the model and tell its signature."""
    from seaway.models import importing, signing_keys
    from seaway.platforms.home import keys
    from seaway.storage import read_json

    spec = importing.ImportSpec(
        source=said.source,
        name=said.name or _name(said.source),
        flavour=said.flavour,
        signature=read_json(said.signature) if said.signature else {},
        sample=importing.sample_of(said.sample) if said.sample else {},
        constants=dict(_constant(text) for text in said.constants),
        task=said.task,
        label=said.label,
        classes=[name.strip() for name in said.classes.split(",") if name.strip()],
        prediction=said.prediction,
        train=said.train,
        digest=said.digest,
    )
    made = importing.import_model(spec, output, signing_keys(keys()).private)
    if as_json:
        print_json({"package": str(made.path), "sha256": made.sha256, "signature": _told(made.signature.to_json())})
        return
    signature = made.signature
    sample = "its sample" if spec.sample or spec.signature.get("sample") else "made-up rows, for want of a --sample"
    typer.echo(f"{signature.name}, {signature.flavour}: proved on {sample}, signed as {made.sha256[:12]} in {output}.")
    for kind, tensors in (("takes", signature.inputs), ("answers", signature.outputs)):
        for tensor in tensors:
            typer.echo(f"  {kind:8}{tensor.name} {tensor.datatype} {list(tensor.shape)}")
    typer.echo(f"Serve it:  seaway serve {output}")


def _name(source: Path) -> str:
    """A model's name out of the file's: letters, digits and dashes."""
    stem = source.name.partition(".")[0].lower()
    return "".join(sign if sign.isalnum() else "-" for sign in stem).strip("-") or "model"


def _constant(text: str) -> tuple[str, Any]:
    name, mark, value = text.partition("=")
    try:
        return name, json.loads(value if mark else "!")
    except ValueError as error:
        raise InvalidSpec(f"--constant {text!r} is no NAME=VALUE with a value in JSON, as in sr=16000.") from error


def _told(signature: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in signature.items() if key != "sample"}
