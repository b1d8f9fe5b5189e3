"""The port of an edge target, and the targets that there are."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from seaway import registry
from seaway.errors import ConversionRefused, InvalidSpec
from seaway.extras import advice
from seaway.models.signature import Array

if TYPE_CHECKING:
    from seaway.edge.form import EdgeGraph

Row = Sequence[Array]  # a model's inputs for one row, in its order
PORT = "EdgeTarget"
FLOAT32 = "float32"
INT8_STATIC = "int8-static"  # weights and values within, whose ranges rows tell
INT8_DYNAMIC = "int8-dynamic"  # weights; values within by the range that each row has
INT8_WEIGHTS = "int8-weights"  # weights only, computed with as floats
PRECISIONS = (FLOAT32, INT8_STATIC, INT8_DYNAMIC, INT8_WEIGHTS)
OPERATOR = re.compile(  # as each converter's words name one; what is torch's own name comes first
    r"\b(?:aten|prims)[.:]+(\w+)|Unsupported fx node \w+, kind (\w+)|lowering for Torch `(\w+)`"
    r"|node \w+ \((\w+)\) got|conversion of (?:the op )?['\"]?(?!operation)(\w+)"
)
LAST = 300  # characters of a converter's own words
REMEDIES = {  # how an operator begins -> what stands in for it
    "searchsorted": "count what is smaller in the vocabulary: `(known < x[:, None]).sum(1)`",
    "unique": "make the vocabulary before the export, as a buffer",
    "nonzero": "multiply by a mask instead of choosing rows, so that sizes stay as they are",
    "masked_select": "multiply by a mask instead of choosing values, so that sizes stay as they are",
    "linalg_inv": "invert the matrix before the export, and keep it as a buffer",
    "bernoulli": "leave chance out of inference: `model.eval()`",
    "native_dropout": "leave chance out of inference: `model.eval()`",
    "repeat_interleave": "use `expand` and `reshape`, whose sizes are known",
    "linalg_svd": "decompose the matrix before the export, and keep its parts as buffers",
    "linalg_det": "compute it by products of the matrix's entries",
    "fft_r": "multiply by a matrix of sines and cosines that is a buffer",
}


@dataclass(frozen=True)
class Recipe:
    """How a target's files are made.

    Attributes:
        precision: One of the target's `precisions`.
        calibration: Rows, where it is `INT8_STATIC`.
        kept: Layers that stay in float32, by the names of their nodes in the edge graph; see `quantization.layers`.
    """

    precision: str = FLOAT32
    calibration: Sequence[Row] = ()
    kept: frozenset[str] = frozenset()


class EdgeTarget(Protocol):
    """A format for devices, what converts to it, and its runtime. Importing the module that has it imports neither.

    Attributes:
        name: on the command line and in `edge.json`.
        title: for people.
        files: what is written, the model first; a folder ends in `/`.
        converts: distributions that make it, whose versions are recorded.
        runtime: the distribution that a device needs, for `pip install`.
        minimum: least version of each system that runs what is written.
        systems: where its runtime answers, as `sys.platform` has it.
        runner: the module of `seaway.edge.runners` that answers.
        reads: who takes the files, for the table of docs/reference/edge-targets.md.
        precisions: `float32`, and what of `PRECISIONS` else it can be made in.
    """

    name: str
    title: str
    files: tuple[str, ...]
    converts: tuple[str, ...]
    runtime: str
    minimum: Mapping[str, str]
    systems: tuple[str, ...]
    runner: str
    reads: str
    precisions: tuple[str, ...]

    def convert(self, graph: "EdgeGraph", folder: Path, recipe: Recipe) -> None:
        """Write the target's files as the recipe says.

        Raises: what the converter raises, which `converted` tells in our words.
        """
        ...


@cache
def named(name: str) -> EdgeTarget:
    """The target of that name. Raises: InvalidSpec: there is none; the message lists those that there are."""
    target: EdgeTarget = registry.find(PORT, name).load()()
    return target


@cache
def every() -> tuple[EdgeTarget, ...]:
    """All targets, those of other wheels last."""
    return tuple(named(name) for name in registry.backends(PORT))


@contextmanager
def _log_as_it_is() -> Iterator[None]:
    """What this process logs is its own affair: OpenVINO's converter and NNCF let only errors be told after them."""
    kind, root = logging.getLoggerClass(), logging.root
    handlers = list(root.handlers)
    loud: tuple[logging.Logger | logging.Handler, ...] = (root, *handlers)
    kept = [(one, one.level, list(one.filters)) for one in loud]
    try:
        yield
    finally:
        logging.setLoggerClass(kind)
        root.handlers[:] = handlers
        for one, level, filters in kept:
            one.setLevel(level)
            one.filters[:] = filters


def converted(target: EdgeTarget, graph: "EdgeGraph", folder: Path, recipe: Recipe = Recipe()) -> None:
    """Write the target's files.

    Raises:
        InvalidSpec: the converter is not installed, or the target is not made in this precision.
        ConversionRefused: it does not take the graph; the message names the operator and what to change.
    """
    if recipe.precision not in target.precisions:
        raise InvalidSpec(
            f"{target.title} is not made in {recipe.precision!r}; it is made in {', '.join(target.precisions)}."
        )
    if recipe.precision == INT8_STATIC and not recipe.calibration:
        raise InvalidSpec(f"{INT8_STATIC} takes the ranges of values from rows; give some of the training data.")
    try:
        with _log_as_it_is():
            target.convert(graph, folder, recipe)
    except ModuleNotFoundError as error:
        raise InvalidSpec(f"The target {target.name} cannot be made: {error}. {advice(error.name)}") from error
    except (ConversionRefused, InvalidSpec):
        raise
    except Exception as error:  # each converter has classes of its own
        raise _refusal(target, graph, error) from error


def _refusal(target: EdgeTarget, graph: "EdgeGraph", error: Exception) -> ConversionRefused:
    told = " ".join(part for part in _chain(error, str) if part)
    found = next(filter(None, (name for match in OPERATOR.finditer(told) for name in match.groups())), "")
    known = (remedy for name, remedy in REMEDIES.items() if found.lstrip("_").startswith(name))
    remedy = next(known, "write it by other operators of torch before the export")
    what = f"the operator {found}: {remedy}" if found else "an operator that its converter does not name"
    return ConversionRefused(
        f"{target.title} cannot take {graph.model!r} because of {what}; or take another target. Its converter says: "
        f"{' '.join(told.split())[:LAST]}"
    )


def _chain(error: BaseException | None, tell: Callable[[BaseException], str]) -> list[str]:
    return [] if error is None else [*_chain(error.__cause__ or error.__context__, tell), tell(error)]
