"""How long a job has run, less the time in which it could not."""

import time
from dataclasses import dataclass, field


@dataclass
class Stopwatch:
    """Runs from when it is made; `stop` and `go_on` may be called again and again."""

    began: float = field(default_factory=time.monotonic)
    stopped_s: float = 0.0  # seconds of earlier stops
    since: float | None = None  # when it was stopped, while it is

    @property
    def stopped(self) -> bool:
        return self.since is not None

    def stop(self) -> None:
        if self.since is None:
            self.since = time.monotonic()

    def go_on(self) -> None:
        self.stopped_s, self.since = self.waited_s(), None

    def waited_s(self) -> float:
        """Seconds in which it was stopped."""
        return self.stopped_s + (time.monotonic() - self.since if self.since is not None else 0.0)

    def ran_s(self) -> float:
        """Seconds in which it was not."""
        return time.monotonic() - self.began - self.waited_s()
