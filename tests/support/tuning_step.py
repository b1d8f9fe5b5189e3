"""A step that tunes: `tuning_step.py STUDY`, a JSON file with what `study` takes."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

from seaway.platforms.kubernetes.tuning.katib import KatibTuner
from seaway.training import TrainSpec
from seaway.tuning import Algorithm, Budget, Objective, SearchSpace, TuneSpec


def study(training: dict[str, Any], space: dict[str, Any], trials: int, **settings: Any) -> TuneSpec:
    """A study of few trials, two at a time unless said, that tolerates no failed one unless said."""
    changes = {
        "algorithm": "random",
        "metric": "validation_auc",
        "passthrough": {},
        "max_failed": 0,
        "seconds": None,
        "parallel": 2,
    }
    changes |= settings
    return TuneSpec(
        TrainSpec(**training),
        SearchSpace.parse(space),
        (Objective(changes["metric"]),),
        Algorithm(changes["algorithm"]),
        Budget(trials, changes["seconds"], max_failed=changes["max_failed"]),
        Path(training["output"]).parent / "study",
        parallel=changes["parallel"],
        passthrough=changes["passthrough"],
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    KatibTuner().tune(study(**json.loads(Path(sys.argv[1]).read_text())))
