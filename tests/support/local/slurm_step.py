"""A step that waits for a batch job: `python slurm_step.py NAME SCRIPT`, to be killed or told to end."""

import logging
import sys
from pathlib import Path

from seaway.platforms.slurm.launch import BatchJob, launch
from seaway.platforms.slurm.placement import Placement

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    name, script = sys.argv[1], Path(sys.argv[2])
    launch(BatchJob(name, script, f"{script.parent}/{name}-%j.log", 600.0), Placement())
