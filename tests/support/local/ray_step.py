"""A step that waits for a job of Ray: `python ray_step.py NAME COMMAND ADDRESS TOKEN_FILE`, killed or told to end."""

import logging
import sys

from seaway.platforms.ray.launch import RayJob, launch
from seaway.platforms.ray.placement import Placement

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    name, command, address, token_file = sys.argv[1:]
    launch(RayJob(name, command, {}), Placement(address=address, token_file=token_file))
