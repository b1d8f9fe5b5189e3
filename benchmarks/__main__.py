"""All parts, one after the other: `python -m benchmarks [PART ...]`."""

import importlib
import logging
import sys

from benchmarks import PARTS, show

logging.basicConfig(level=logging.WARNING)
rows = []
for part in sys.argv[1:] or PARTS:
    print(f"measuring {part} ...", file=sys.stderr, flush=True)
    rows += importlib.import_module(f"benchmarks.{part}").measure()
show(rows)
