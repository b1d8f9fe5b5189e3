"""A step that never ends, and an exit task that does not either."""

from kfp import dsl
from seaway.kfp import component


@component
def stay(pids: str):
    """Tell who this is and who was started here, and never end."""
    import json
    import os
    import subprocess
    import time
    from pathlib import Path

    child = subprocess.Popen(["sleep", "600"])
    draft = Path(pids + ".draft")
    draft.write_text(json.dumps([os.getpid(), child.pid]))
    draft.rename(pids)
    time.sleep(600)


@dsl.pipeline(name="waiting-at-its-end")
def waiting(pids: str, last: str):
    """Wait twice."""
    with dsl.ExitHandler(stay(pids=last)):
        stay(pids=pids)
