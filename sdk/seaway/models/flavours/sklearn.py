"""The flavour of scikit-learn's estimators, by skops: no pickle."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec, PackageRefused
from seaway.models.flavours.columns import as_output, described_inputs, matrix, numeric_inputs
from seaway.models.flavours.port import Adopted, Options
from seaway.models.flavours.required import required
from seaway.models.flavours.sklearn_safety import COMPILED, check_trees, inspect
from seaway.models.signature import TEXT, Array, Signature

FILE = "model.skops"
PROBABILITIES, PREDICTION = "probabilities", "prediction"


class Sklearn:
    """See `seaway.models.flavours.Flavour`.

    A classifier answers the probabilities of its classes where it has them; everything else what `predict` gives.
    """

    name = "sklearn"
    title = "scikit-learn"
    files = (FILE,)
    optional = ()
    sources = (".skops",)
    extra = "sklearn"
    platform = "sklearn_skops"
    safety = "skops: a schema of scikit-learn's own classes and arrays without objects; no functions, nothing unpickled"

    def check(self, folder: Path) -> None:
        """Raises: PackageRefused, see `sklearn_safety`."""
        inspect(folder / FILE)

    def load(
        self, folder: Path, signature: Signature, threads: int | None
    ) -> Callable[[Sequence[Array]], Sequence[Array]]:
        """Raises: PackageRefused: this scikit-learn cannot load it."""
        estimator = _estimator(folder / FILE)
        names = getattr(estimator, "feature_names_in_", None)
        call = estimator.predict_proba if hasattr(estimator, "predict_proba") else estimator.predict

        def answer(arrays: Sequence[Array]) -> list[Array]:
            with _bounded(threads):
                return [as_output(call(_frame(names, arrays) if names is not None else matrix(arrays)))]

        return answer

    def prove(self, folder: Path) -> None:
        """Nothing more."""

    def adopt(self, source: Path, folder: Path, options: Options) -> Adopted:
        """Raises: PackageRefused: it cannot be loaded, or not safely. InvalidSpec: it predicts nothing."""
        inspect(source)
        shutil.copyfile(source, folder / FILE)
        estimator = _estimator(folder / FILE)
        if not hasattr(estimator, "predict"):
            raise InvalidSpec(f"{type(estimator).__name__} predicts nothing; give the pipeline that ends in a model.")
        names = getattr(estimator, "feature_names_in_", None)
        inputs = (
            described_inputs([str(name) for name in names], options, "FP64")
            if names is not None
            else numeric_inputs(None, int(estimator.n_features_in_), "FP64")
        )
        classes = tuple(str(one) for one in getattr(estimator, "classes_", ()))
        output = PROBABILITIES if hasattr(estimator, "predict_proba") else PREDICTION
        return Adopted(self.name, inputs, (output,), TEXT, classes)


def _estimator(file: Path) -> Any:
    with required("sklearn"):
        import skops.io
    try:
        found = skops.io.get_untrusted_types(file=file)
        estimator = skops.io.load(file, trusted=[name for name in found if name in COMPILED])
        check_trees(file, estimator)
    except PackageRefused:
        raise
    except Exception as error:  # what a schema names may fail in any way
        raise PackageRefused(
            f"{file} cannot be loaded by this scikit-learn ({' '.join(str(error).split())[:300]}); write it anew with "
            "the version that serves it."
        ) from error
    return estimator


def _frame(names: Sequence[str], arrays: Sequence[Array]) -> Any:
    import pandas as pd

    return pd.DataFrame({name: array.ravel() for name, array in zip(names, arrays, strict=True)})


def _bounded(threads: int | None) -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=threads)
