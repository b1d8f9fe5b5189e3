"""Training as a batch job of Slurm: the data go where its nodes see them, the job runs, the model comes back.

`SEAWAY_SLURM` names a YAML or JSON file with the site's settings for `Placement`; `TrainSpec.placement` wins over
them. `SEAWAY_STORAGE` is the URI below which runs keep their data; without it that is the shared folder of the
settings, and without that the state folder of this machine, which the nodes are to see under the same path.
"""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from seaway.platforms.home import home
from seaway.platforms.remote_training import STEP, below, carried_out, finished
from seaway.platforms.settings import cluster_settings
from seaway.platforms.slurm import script
from seaway.platforms.slurm.launch import BatchJob, launch
from seaway.platforms.slurm.placement import Placement
from seaway.storage import write_private
from seaway.training.fingerprint import fingerprint
from seaway.training.pod.job import RemoteTraining
from seaway.training.result import TrainResult
from seaway.training.spec import TrainSpec


class SlurmTrainer:
    """Runs an entrypoint as a batch job of `spec.workers` processes."""

    def train(self, spec: TrainSpec) -> TrainResult:
        """See `seaway.training.Trainer.train`."""
        identity = fingerprint(spec)
        if (result := finished(spec, identity)) is not None:
            return result
        placement = settled(Placement.parse({**cluster_settings("SEAWAY_SLURM"), **spec.placement}))
        root = os.environ.get("SEAWAY_STORAGE", "").rstrip("/") or placement.folder
        training = below(root, spec, identity)
        job = prepared(training, placement)
        return carried_out(spec, training, lambda: launch(job, placement))


def settled(placement: Placement) -> Placement:
    """With its shared folder, absolute."""
    folder = Path(placement.folder).absolute() if placement.folder else home() / "slurm"
    return replace(placement, folder=str(folder))


def prepared(training: RemoteTraining, placement: Placement) -> BatchJob:
    """The job, its script written; the same for the same training of the same run, so that it is found again."""
    name = f"seaway-{STEP}-{hashlib.sha256(training.text.encode()).hexdigest()[:16]}"
    folder = Path(placement.folder) / "jobs"
    log = str(folder / f"{name}-%j.log")
    file = folder / f"{name}.sh"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, script.build(name, log, training, placement))
    return BatchJob(name, file, log, training.timeout_s)
