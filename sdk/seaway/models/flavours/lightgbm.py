"""The flavour of LightGBM's trees, in its own text."""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seaway.errors import PackageRefused
from seaway.models.flavours.columns import as_output, matrix, numeric_inputs
from seaway.models.flavours.port import Adopted, Options
from seaway.models.flavours.required import required
from seaway.models.signature import TEXT, Array, Signature

FILE = "model.txt"
START, END = b"tree\n", b"end of trees"
UNNAMED = re.compile(r"Column_\d+")


class LightGBM:
    """See `seaway.models.flavours.Flavour`."""

    name = "lightgbm"
    title = "LightGBM"
    files = (FILE,)
    optional = ()
    sources = (".txt", ".lgb")
    extra = "trees"
    platform = "lightgbm_text"
    safety = "text of tree nodes; the format has no code"

    def check(self, folder: Path) -> None:
        """Raises: PackageRefused: it is none, or truncated."""
        _check(folder / FILE)

    def load(
        self, folder: Path, signature: Signature, threads: int | None
    ) -> Callable[[Sequence[Array]], Sequence[Array]]:
        """Raises: PackageRefused: LightGBM cannot read it."""
        booster = _booster(folder / FILE)
        settings = {"num_threads": threads} if threads else {}

        def answer(arrays: Sequence[Array]) -> list[Array]:
            return [as_output(booster.predict(matrix(arrays), **settings))]

        return answer

    def prove(self, folder: Path) -> None:
        """Nothing more."""

    def adopt(self, source: Path, folder: Path, options: Options) -> Adopted:
        """Raises: PackageRefused: LightGBM cannot read it."""
        _check(source)
        shutil.copyfile(source, folder / FILE)
        booster = _booster(folder / FILE)
        names = [str(name) for name in booster.feature_name()]
        named = None if all(UNNAMED.fullmatch(name) for name in names) else names
        return Adopted(self.name, numeric_inputs(named, len(names), "FP64"), ("prediction",), TEXT)


def _check(file: Path) -> None:
    content = file.read_bytes()
    if not content.startswith(START) or END not in content:
        raise PackageRefused(
            f"{file.name} in {file.parent} is truncated or no model of LightGBM; write it by Booster.save_model. "
            "Pickles are refused."
        )


def _booster(file: Path) -> Any:
    with required("lightgbm"):
        import lightgbm
    try:
        return lightgbm.Booster(model_file=str(file))
    except lightgbm.basic.LightGBMError as error:
        raise PackageRefused(
            f"{file} is no model that LightGBM {lightgbm.__version__} can read ({str(error)[:200]}); write it anew by "
            "Booster.save_model."
        ) from error
