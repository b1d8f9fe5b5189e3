"""Looking features up within a deadline; a store that is late or fails is answered for by a fallback that is stated."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from seaway.errors import FeaturesUnavailable, InvalidSpec

Columns = Mapping[str, Sequence[Any]]
REFUSE, MISSING = "refuse", "missing"  # fallbacks: the request is told 503, or answered as if no value were known
FOUND = "found"
THREADS = 8  # questions to the store at once
LONGEST_S = 60.0
log = logging.getLogger(__name__)


class Features(Protocol):
    """What is looked up, such as `seaway.features.OnlineFeatures`."""

    @property
    def keys(self) -> Mapping[str, str]:
        """Datatypes of the keys by name."""
        ...

    @property
    def features(self) -> Sequence[str]:
        """Names of what is looked up."""
        ...

    def read(self, keys: Columns) -> Columns:
        """Values row by row, None where there is none. Raises: FeaturesUnavailable, InvalidSpec."""
        ...


@dataclass(frozen=True)
class Patience:
    """How long a look-up may take, and what then becomes of its request. Raises: InvalidSpec."""

    deadline_s: float
    fallback: str = REFUSE

    def __post_init__(self) -> None:
        if self.fallback not in (REFUSE, MISSING):
            raise InvalidSpec(f"There is no fallback {self.fallback!r}; there are {REFUSE} and {MISSING}.")
        if not 0 < self.deadline_s <= LONGEST_S:
            raise InvalidSpec(f"The deadline is {self.deadline_s:g} s; it must be positive, {LONGEST_S:g} s at most.")


class Lookup:
    """Asks a store on threads of its own, each with features of its own.

    Raises: what `opened` does.
    """

    def __init__(self, opened: Callable[[], Features], patience: Patience, threads: int = THREADS) -> None:
        first = opened()
        self.keys, self.features = dict(first.keys), tuple(first.features)
        self._opened, self._patience, self._local = opened, patience, threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="features")

    async def __call__(self, keys: Columns) -> tuple[str, Columns]:
        """How it went, `found` or `missing`, and the values.

        Raises:
            FeaturesUnavailable: the store is late or fails, and the fallback is to refuse.
            InvalidSpec: a key is none of the store's.
        """
        asked = asyncio.get_running_loop().run_in_executor(self._pool, self._read, keys)
        try:
            return FOUND, await asyncio.wait_for(asked, self._patience.deadline_s)
        except TimeoutError as error:
            late = f"The online store did not answer within {self._patience.deadline_s * 1000:g} ms."
            return self._fall_back(keys, FeaturesUnavailable(late), error)
        except FeaturesUnavailable as error:
            return self._fall_back(keys, error, error)

    def _read(self, keys: Columns) -> Columns:
        """By this thread's own features. Those that have failed are not asked again but opened anew: a store's client
        may keep a connection for good that its server has ended."""
        kept: Features | None = getattr(self._local, "features", None)
        if kept is not None:
            try:
                return kept.read(keys)
            except FeaturesUnavailable as error:
                log.warning("the store is opened anew: %s", error)
                self._local.features = None
        opened = self._opened()
        answer = opened.read(keys)
        self._local.features = opened
        return answer

    def _fall_back(self, keys: Columns, told: FeaturesUnavailable, cause: Exception) -> tuple[str, Columns]:
        if self._patience.fallback == REFUSE:
            raise told from cause
        rows = len(next(iter(keys.values())))
        return MISSING, {name: [None] * rows for name in self.features}
