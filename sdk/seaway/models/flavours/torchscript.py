"""The flavour of TorchScript archives: read only, for models that exist; new ones are better exported."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seaway.errors import PackageRefused
from seaway.models.flavours.port import Adopted, Options
from seaway.models.flavours.torchscript_safety import inspect
from seaway.models.signature import Array, Signature

FILE = "model.ts"


class TorchScript:
    """See `seaway.models.flavours.Flavour`."""

    name = "torchscript"
    title = "TorchScript"
    files = (FILE,)
    optional = ()
    sources = (".ts", ".jit", ".torchscript", ".pt", ".pth")
    extra = ""
    platform = "pytorch_torchscript"
    safety = (
        "torch's own reader, after the archive's members, its pickles' imports and its source's operators were checked"
    )

    def check(self, folder: Path) -> None:
        """Raises: PackageRefused, see `torchscript_safety`."""
        inspect(folder / FILE)

    def load(
        self, folder: Path, signature: Signature, threads: int | None
    ) -> Callable[[Sequence[Array]], Sequence[Array]]:
        """Raises: PackageRefused: torch cannot read it, or it takes another number of inputs."""
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        module = _module(folder / FILE)
        takes = len(module.forward.schema.arguments) - 1
        if takes != len(signature.inputs):
            raise PackageRefused(
                f"{FILE} in {folder} takes {takes} inputs, its signature names {len(signature.inputs)}; write the "
                "signature of this model."
            )

        def answer(arrays: Sequence[Array]) -> list[Array]:
            with torch.inference_mode():
                returned = module(*(torch.from_numpy(array.copy()) for array in arrays))
            return [value.numpy() for value in (returned if isinstance(returned, (tuple, list)) else (returned,))]

        return answer

    def prove(self, folder: Path) -> None:
        """Nothing more."""

    def adopt(self, source: Path, folder: Path, options: Options) -> Adopted:
        """The archive as it is. Its forward says no shapes: a signature or a sample has to. Raises: PackageRefused."""
        inspect(source)
        shutil.copyfile(source, folder / FILE)
        _module(folder / FILE)
        return Adopted(self.name)


def _module(archive: Path) -> Any:
    import torch

    try:
        return torch.jit.load(archive, map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        raise PackageRefused(
            f"{archive} is no TorchScript that torch {torch.__version__} can read "
            f"({' '.join(str(error).split())[:300]}); write it anew with this version."
        ) from error
