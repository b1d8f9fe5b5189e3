"""`seaway run PIPELINE --platform kubernetes` as a process: its output, its steps' logs, what they made."""

import os
import subprocess
import sys
import time
from pathlib import Path

STARTED_S = 300  # for the steps before the training, and the pods
ENDED_S = 900


class Run:
    """One run, with its state in `home`.

    Args:
        pipeline: its name, or the file that it is in.
        backends: by port.
        parameters: of the pipeline.
    """

    def __init__(self, home: Path, pipeline: str, backends: dict[str, str], **parameters: object) -> None:
        self.home = home
        chosen = [word for port, name in backends.items() for word in ("--backend", f"{port}={name}")]
        given = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
        program = [sys.executable, "-c", "from seaway.cli import main; main()", "run", pipeline]
        environment = {name: value for name, value in os.environ.items() if name != "SEAWAY_RUN_ID"}
        self.process = subprocess.Popen(
            [*program, "--platform", "kubernetes", *chosen, *given],
            env={**environment, "SEAWAY_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self) -> tuple[int, str]:
        """Exit code and output."""
        output, _ = self.process.communicate(timeout=ENDED_S)
        return self.process.returncode, output

    def logs(self) -> str:
        return "".join(path.read_text() for path in (self.home / "runs").glob("*/steps/*.log"))

    def await_log(self, text: str) -> None:
        deadline = time.monotonic() + STARTED_S
        while text not in self.logs() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        assert text in self.logs(), self.logs()

    def artifact(self, path: str) -> Path:
        """The newest of this name; a step that is taken from the cache has left it in an earlier run."""
        return max((self.home / "artifacts").rglob(path), key=lambda found: found.stat().st_mtime)
