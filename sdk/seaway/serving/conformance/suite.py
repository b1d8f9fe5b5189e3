"""All checks, and how they went."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seaway.errors import SeawayError
from seaway.serving.conformance import by_grpc, heads, malformed, rest, sockets
from seaway.serving.conformance.check import Check, Lacking
from seaway.serving.conformance.target import Target

OK, FAILED, SKIPPED = "ok", "failed", "skipped"
CHECKS: tuple[Check, ...] = (*rest.CHECKS, *malformed.CHECKS, *heads.CHECKS, *by_grpc.CHECKS, *sockets.CHECKS)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a check went: `ok`, `failed`, or `skipped` where the server does not claim what is checked; and why."""

    check: str
    state: str
    why: str = ""


def run(target: Target) -> Iterator[Outcome]:
    """Put a server to every check, one after another. A failure ends none of the others."""
    for check in CHECKS:
        yield _outcome(check.__name__, lambda check=check: check(target))  # type: ignore[misc]


def _outcome(name: str, check: Callable[[], None]) -> Outcome:
    name = name.replace("_", " ")
    try:
        check()
    except Lacking as lacking:
        return Outcome(name, SKIPPED, str(lacking))
    except (SeawayError, AssertionError, OSError) as error:
        return Outcome(name, FAILED, str(error) or repr(error))
    except Exception as error:  # an answer may be anything, and whoever wrote it learns what it was
        log.debug("%s failed", name, exc_info=True)
        return Outcome(name, FAILED, f"its answer cannot be read: {error!r}")
    return Outcome(name, OK)
