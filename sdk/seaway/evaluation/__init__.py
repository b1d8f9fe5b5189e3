"""How good a model is, for whom, and whether the gate opens."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.evaluation.gate import Gate, Outcome, read_outcomes, require_open, write_page

if TYPE_CHECKING:
    from seaway.evaluation.evaluator import Evaluation

__all__ = ["Gate", "Outcome", "evaluate", "read_outcomes", "require_open", "write_page"]


def evaluate(
    model: Path,
    test: Path,
    train: Path,
    output: Path,
    *,
    baselines: Mapping[str, Path] | None = None,
    production: Path | None = None,
    gate: Gate | None = None,
    slices: Sequence[str] = (),
    label: str = "",
    task: str = "",
    group: str = "",
) -> "Evaluation":
    """Compare a model with its baselines on held-out rows; see `seaway.evaluation.evaluator.evaluate`."""
    from seaway.evaluation import evaluator

    return evaluator.evaluate(
        model,
        test,
        train,
        output,
        baselines=baselines or {},
        production=production,
        gate=gate or Gate(),
        slices=slices,
        label=label,
        task=task,
        group=group,
    )
