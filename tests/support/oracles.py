"""What others reckon, from an environment of its own, which a person makes once; tests skip where it is not there.

It is 0.7 GB and brings transformers, so it is in no lock file.

uv venv --python 3.11 ~/.cache/seaway/label-oracles
uv pip install --python ~/.cache/seaway/label-oracles/bin/python \
    crowd-kit==1.4.2 cleanlab==2.9.0 sdmetrics==0.32.0 panlabel==0.7.0 scikit-activeml==1.0.1
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "seaway"
FOLDER = CACHE / "label-oracles"
PYTHON, PANLABEL = FOLDER / "bin" / "python", FOLDER / "bin" / "panlabel"
MISSING = "no environment of oracles: see tests/support/oracles.py"


def asked(program: str, given: Any) -> Any:
    """What a program says that has `given` and prints JSON."""
    whole = f"import json, sys\ngiven = json.load(sys.stdin)\n{program}\njson.dump(said, sys.stdout)"
    done = subprocess.run(
        [PYTHON, "-W", "ignore", "-c", whole], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def panlabel(*words: str | Path) -> str:
    """What `panlabel` says."""
    done = subprocess.run([PANLABEL, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
