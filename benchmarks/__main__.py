"""All parts, one after the other: `python -m benchmarks [PART ...]`."""

import importlib
import logging
import sys
import warnings

from benchmarks import PARTS, show, told

logging.basicConfig(level=logging.WARNING)
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"ibis\..*")
rows = []
for part in sys.argv[1:] or PARTS:
    print(f"measuring {part} ...", file=sys.stderr, flush=True)
    measured = importlib.import_module(f"benchmarks.{part}").measure()
    for row in measured:
        print(f"  {row.name}: {told(row.ratio, 'x') or told(row.ours)}", file=sys.stderr, flush=True)
    rows += measured
show(rows)
