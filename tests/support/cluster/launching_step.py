"""A step that launches one job: `launching_step.py MANIFEST NAMESPACE`."""

import json
import logging
import sys
from pathlib import Path

from seaway.platforms.kubernetes.client.connection import connect
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.launch import launch

logging.basicConfig(level=logging.INFO, format="%(message)s")
launch(batch_job.KIND, json.loads(Path(sys.argv[1]).read_text()), timeout_s=120, connection=connect(sys.argv[2]))
