"""What makes two studies the same: data, code and template, and all that decides which trials there are."""

import hashlib
import json
from dataclasses import asdict

from seaway.storage import sha256
from seaway.training.fingerprint import fingerprint as training_fingerprint
from seaway.tuning.result import STUDY_FILE
from seaway.tuning.spec import TuneSpec


def fingerprint(spec: TuneSpec) -> str:
    """A hash.

    Raises:
        DataUnreadable: a data file is missing or empty.
        InvalidSpec: the entrypoint does not exist.
    """
    earlier = None if spec.warm_start is None else sha256(spec.warm_start / STUDY_FILE)
    decisive = {
        "training": training_fingerprint(spec.training)["run"],
        "space": spec.space.as_json(),
        "objectives": [asdict(one) for one in spec.objectives],
        "constraints": [asdict(one) for one in spec.constraints],
        "algorithm": asdict(spec.algorithm),
        "budget": asdict(spec.budget),
        "parallel": spec.parallel,
        "seed": spec.seed,
        "rows_fraction": spec.rows_fraction,
        "warm_start": earlier,
        "trial_workers": spec.trial_workers,
        "passthrough": dict(spec.passthrough),
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
