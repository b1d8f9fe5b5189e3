"""The flavour of XGBoost's trees, in its own UBJSON."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seaway.errors import PackageRefused
from seaway.models.flavours.columns import as_output, matrix, numeric_inputs
from seaway.models.flavours.port import Adopted, Options
from seaway.models.flavours.required import required
from seaway.models.signature import TEXT, Array, Signature

FILE = "model.ubj"
NEEDED = b"learner"  # the key that every model has, near its start or its end


class XGBoost:
    """See `seaway.models.flavours.Flavour`. Trees up to `best_iteration` answer where the model names one."""

    name = "xgboost"
    title = "XGBoost"
    files = (FILE,)
    optional = ()
    sources = (".ubj", ".json")
    extra = "trees"
    platform = "xgboost_ubj"
    safety = "UBJSON of tree nodes; the format has no code"

    def check(self, folder: Path) -> None:
        """Raises: PackageRefused: it is none."""
        _check(folder / FILE)

    def load(
        self, folder: Path, signature: Signature, threads: int | None
    ) -> Callable[[Sequence[Array]], Sequence[Array]]:
        """Raises: PackageRefused: XGBoost cannot read it."""
        booster = _booster(folder / FILE)
        import xgboost

        if threads is not None:
            booster.set_param({"nthread": threads})
        best = booster.attr("best_iteration")
        trees = (0, int(best) + 1) if best else (0, 0)
        kinds = booster.feature_types

        def answer(arrays: Sequence[Array]) -> list[Array]:
            rows = xgboost.DMatrix(
                matrix(arrays),
                feature_names=booster.feature_names,
                feature_types=kinds,
                nthread=threads,
                enable_categorical=bool(kinds and "c" in kinds),
            )
            return [as_output(booster.predict(rows, iteration_range=trees, strict_shape=False))]

        return answer

    def prove(self, folder: Path) -> None:
        """Nothing more."""

    def adopt(self, source: Path, folder: Path, options: Options) -> Adopted:
        """Raises: PackageRefused: XGBoost cannot read it."""
        _check(source)
        booster = _booster(source)
        booster.save_model(folder / FILE)
        inputs = numeric_inputs(booster.feature_names, booster.num_features(), "FP32")
        return Adopted(self.name, inputs, ("prediction",), TEXT)


def _check(file: Path) -> None:
    with file.open("rb") as stream:
        content = stream.read()
    if not content.startswith(b"{") or NEEDED not in content:
        raise PackageRefused(
            f"{file.name} in {file.parent} is no model of XGBoost; write it by Booster.save_model('{FILE}'). Its old "
            "binary format and pickles are refused."
        )


def _booster(file: Path) -> Any:
    with required("xgboost"):
        import xgboost
    try:
        return xgboost.Booster(model_file=file)
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise PackageRefused(
            f"{file} is truncated or no model that XGBoost {xgboost.__version__} can read "
            f"({' '.join(str(error).split())[:200]}); write it anew by Booster.save_model."
        ) from error
