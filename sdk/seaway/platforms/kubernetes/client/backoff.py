"""How long to go on asking a server that does not answer: full-jitter back-off within a time limit.

The method is AWS's "Exponential Backoff and Jitter" (Brooker 2015), full jitter: a uniform pause below a bound that
doubles, so that thousands of clients of a server that comes back do not ask in step.
"""

import random
import time
from dataclasses import dataclass, field

FIRST_S, LONGEST_S = 0.1, 2.0


@dataclass
class Backoff:
    """Pauses that grow from `FIRST_S` to `LONGEST_S`, until `limit_s` seconds have passed since the first failure."""

    limit_s: float
    failures: int = 0
    since: float = field(default=0.0, repr=False)  # monotonic seconds: the wall clock may jump

    def failed(self) -> bool:
        """Count a failure; whether there is time for another attempt."""
        if self.failures == 0:
            self.since = time.monotonic()
        self.failures += 1
        return time.monotonic() - self.since < self.limit_s

    def succeeded(self) -> None:
        """The server answered: start anew."""
        self.failures = 0

    def pause_s(self) -> float:
        """How long to wait before the next attempt."""
        return random.uniform(0, min(LONGEST_S, FIRST_S * 2 ** min(self.failures, 10)))  # noqa: S311
