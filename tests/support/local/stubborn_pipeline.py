"""A step that ignores SIGTERM and has a child in a session of its own, as training and serving processes have."""

from kfp import dsl
from seaway.kfp import component


@component
def linger(pids: str):
    """Start a child and never end."""
    import json
    import os
    import signal
    import subprocess
    import time
    from pathlib import Path

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    draft = Path(pids + ".draft")
    draft.write_text(json.dumps([os.getpid(), child.pid]))
    draft.rename(pids)
    time.sleep(600)


@dsl.pipeline(name="stubborn")
def stubborn(pids: str, afresh: str = "no"):
    """Never end; a step with a variable of its own is started afresh, not forked."""
    with dsl.If(afresh == "no"):
        linger(pids=pids)
    with dsl.Else():
        linger(pids=pids).set_env_variable("ITS_OWN", "yes")
