"""Studies of this machine whose trials are batch jobs: Optuna chooses here, Slurm or Ray trains.

What a trial asks of them, and what becomes of a job that waits, is lost or is cancelled, is the trainer's.
"""

from seaway.platforms.local.tuning.optuna import OptunaTuner
from seaway.tuning.algorithm import RAY, SLURM


class SlurmTuner(OptunaTuner):
    """A job a trial, `spec.parallel` of them in the queue at a time; a trial's figures come with its end."""

    name = SLURM
    trainer = SLURM


class RayTuner(OptunaTuner):
    """A job of a Ray cluster a trial, otherwise as on Slurm."""

    name = RAY
    trainer = RAY
