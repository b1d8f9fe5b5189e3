"""Keras 3 models, exported by torch: what is packed is a graph of the flavour `torch_export`.

A `.keras` file is a zip of a JSON configuration and weights. To load one is to make the classes that the configuration
names, so the configuration is read first: Keras' own layers only, no Lambda, which holds Python's bytecode.
"""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

from seaway.errors import PackageRefused
from seaway.models.flavours.json_objects import objects
from seaway.models.flavours.required import required

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = {CONFIG, WEIGHTS, "metadata.json"}
MODULES = {
    *("keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints", "keras.activations"),
    *("keras.optimizers", "keras.optimizers.schedules", "keras.losses", "keras.metrics", "keras.models"),
    *("keras.src.models.functional", "keras.src.models.sequential", "builtins"),
}
CODE = {"Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "function"}
MAX_BYTES = 4 << 30


def inspect(file: Path) -> None:
    """Raises: PackageRefused: no readable archive, or one that names anything but Keras' own layers."""
    try:
        with zipfile.ZipFile(file) as opened:
            infos = opened.infolist()
            if sum(info.file_size for info in infos) > MAX_BYTES:
                raise _refusal(file, f"unpacks to more than {MAX_BYTES >> 30} GiB")
            if strange := sorted({info.filename for info in infos} ^ MEMBERS):
                raise _refusal(file, f"holds or lacks {strange[0][:120]!r}: text layers' assets are not taken")
            config = dict(json.loads(opened.read(CONFIG))) | {"compile_config": None}  # which load_model leaves out
    except (zipfile.BadZipFile, ValueError, TypeError, KeyError, EOFError, OSError, NotImplementedError) as error:
        raise _refusal(file, f"is truncated or no .keras file ({error})") from error
    for node in (one for one in objects(config) if "class_name" in one):
        named = {str(node.get("class_name")), str(node.get("registered_name"))} - {"None"}
        module = node.get("module")
        if named & CODE or node.get("registered_name") not in (None, node.get("class_name")):
            raise _refusal(file, f"holds {', '.join(sorted(named))[:120]!r}, which is code of its own")
        if module is not None and module not in MODULES:
            raise _refusal(file, f"asks for {str(module)[:120]!r}, which is none of Keras' layers")


def exported(file: Path) -> Any:
    """The model as a `torch.export.ExportedProgram` for any number of rows. Raises: PackageRefused, InvalidSpec."""
    os.environ["KERAS_BACKEND"] = "torch"
    with required("torch_export"):
        import keras
    import torch

    if keras.config.backend() != "torch":
        raise PackageRefused(f"Keras was imported with the backend {keras.config.backend()}; set KERAS_BACKEND=torch.")
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
        example = tuple(
            torch.zeros([2, *tensor.shape[1:]], dtype=getattr(torch, str(tensor.dtype))) for tensor in model.inputs
        )
        rows = torch.export.Dim("rows", min=1)
        return torch.export.export(_ByPosition(model), example, dynamic_shapes=(tuple({0: rows} for _ in example),))
    except PackageRefused:
        raise
    except Exception as error:  # a model is anybody's
        raise _refusal(file, f"cannot be exported by torch ({' '.join(str(error).split())[:300]})") from error


def names(file: Path) -> list[str]:
    """Of the model's inputs, in its order."""
    import keras

    return [str(tensor.name) for tensor in keras.saving.load_model(file, compile=False, safe_mode=True).inputs]


def _ByPosition(model: Any) -> Any:  # noqa: N802  # a class that is made where torch is imported
    import torch

    class ByPosition(torch.nn.Module):
        """Keras takes a list of inputs, a graph takes them one after the other."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: Any) -> Any:
            return self.model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)

    return ByPosition().eval()


def _refusal(file: Path, reason: str) -> PackageRefused:
    return PackageRefused(
        f"{file.name} in {file.parent} {reason}; it is refused. Save a model of Keras 3 with its own layers by "
        "model.save('model.keras'), or export it by torch.export or to ONNX."
    )
