"""Predict many rows, on one process or several, going on where a run before was ended."""

import logging
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from seaway.errors import InvalidSpec
from seaway.models import Signature, verified_copy
from seaway.serving.batch.answer import Predictor
from seaway.serving.batch.parts import Part, files, hashes, keep_plan, parts, require_columns
from seaway.serving.batch.spec import BatchResult, BatchSpec
from seaway.storage import sha256

SIGNATURE = "signature.json"
log = logging.getLogger(__name__)
_predictors: list[Predictor] = []  # of a worker process: its one


def predict(spec: BatchSpec, told: Callable[[Part], object] = lambda _: None) -> BatchResult:
    """Answer every row group of this shard that has no answers yet; `told` hears of each whose answers are written.

    Raises:
        PackageRefused: the package does not verify.
        DataUnreadable: the rows cannot be read, or are not the model's; answers that were written stay.
        InvalidSpec: the folder holds answers to something else, or a kept column has an output's name.
    """
    with tempfile.TemporaryDirectory(prefix="seaway-") as folder:
        package = verified_copy(spec.package, Path(folder) / "package", spec.public_key)
        signature, inputs = Signature.read(package.path), hashes(spec.rows)
        check(spec, signature)
        keep_plan(spec.predictions, {"package": package.sha256, "inputs": inputs, "keep": list(spec.keep)})
        shard = list(parts(spec.rows, spec.predictions))[spec.shard :: spec.shards]
        left = [part for part in shard if not part.done]
        missing: Counter[str] = Counter()
        for place, counted in enumerate(_answered(spec, package.path, left), start=1):
            missing.update(counted)
            told(left[place - 1])
            log.info("%d of %d row groups are answered", len(shard) - len(left) + place, len(shard))
        return BatchResult(
            rows=sum(part.rows for part in shard),
            parts=len(shard),
            asked=len(left),
            package=package.sha256,
            signature=sha256(package.path / SIGNATURE),
            inputs=inputs,
            outputs={one.name: one.datatype for one in signature.outputs},
            missing={one.name: missing[one.name] for one in signature.outputs},
        )


class InProcess:
    """Predicts in this process and its own, wherever that runs."""

    def predict(self, spec: BatchSpec, pods: int) -> BatchResult:
        """See `BatchPredictor.predict`."""
        if pods != 1:
            raise InvalidSpec(
                f"pods is {pods}, and here is one process: take backend 'job' on a cluster, or more workers."
            )
        return predict(spec)


def check(spec: BatchSpec, signature: Signature) -> None:
    """Raises: DataUnreadable, InvalidSpec: the rows are not the model's, or cannot be kept beside its outputs."""
    if both := sorted({*spec.keep} & {one.name for one in signature.outputs}):
        raise InvalidSpec(f"The columns {both} are kept, and outputs of the model are called so too.")
    for file in files(spec.rows):
        require_columns(file, [*spec.keep, *(one.name for one in signature.inputs)])


def _answered(spec: BatchSpec, package: Path, left: Sequence[Part]) -> Iterator[Mapping[str, int]]:
    """Missing values of one part after another, in their order."""
    arguments = (package, spec.threads, spec.rows_at_once, tuple(spec.keep))
    workers = min(spec.workers, len(left))
    if workers <= 1:
        yield from map(Predictor(*arguments).answer, left) if left else ()
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, arguments) as pool:
        try:
            yield from pool.map(_answer, left)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _begin(package: Path, threads: int, rows_at_once: int, keep: Sequence[str]) -> None:
    _predictors[:] = [Predictor(package, threads, rows_at_once, keep)]


def _answer(part: Part) -> dict[str, int]:
    return _predictors[0].answer(part)
