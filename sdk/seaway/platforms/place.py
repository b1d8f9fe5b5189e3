"""Where this process is, and so which backend carries out a port."""

import logging
import os
from collections.abc import Mapping
from typing import TypeVar

from seaway import registry
from seaway.errors import InvalidSpec, KindMissing
from seaway.registry import KUBERNETES, LOCAL, PLACES, PORTS

Port = TypeVar("Port")
log = logging.getLogger(__name__)


def in_pod() -> bool:
    """Whether this process runs in a pod."""
    return "KUBERNETES_SERVICE_HOST" in os.environ


def place() -> str:
    """Where jobs go: `$SEAWAY_PLATFORM`, else `kubernetes` from inside a pod and `local` elsewhere.

    Raises:
        InvalidSpec: no such place.
    """
    named = os.environ.get("SEAWAY_PLATFORM") or (KUBERNETES if in_pod() else LOCAL)
    if named not in PLACES:
        raise InvalidSpec(f"SEAWAY_PLATFORM={named!r} is no platform; there are: {', '.join(PLACES)}.")
    return named


def current(port: type[Port], backend: str = "auto") -> Port:
    """The adapter that carries out `port` by `backend`; `auto` takes `$SEAWAY_<PORT>`, else the default of this place.

    Where a port is `by_cluster`, the default is the first backend whose kinds the cluster serves, and the log tells it.

    `SEAWAY_PLATFORM=kubernetes` on a laptop sends to the cluster what has an adapter there; the rest is carried out
    here, and so is what follows a port that is. A pod has no such "here": what it served or kept would end with it.

    Raises:
        InvalidSpec: no such platform or backend; the message lists those that there are.
        KindMissing: the cluster has what none of the port's backends needs.
        Forbidden, ServerGone: it does not tell what it has.
    """
    adapter: Port = registry.find(port.__name__, taken(port.__name__) if backend == "auto" else backend).load()()
    return adapter


def taken(port: str) -> str:
    """The backend that `auto` takes for the port of that name, asked of the cluster where that says it.

    Raises: as `current`.
    """
    if not (several := choices(port)):
        return chosen(port)
    lacks: dict[str, str] = {}
    for one in several:
        missing = getattr(one.load(), "missing", str)()
        if not missing:
            log.info("%s is %s, as the cluster has it%s.", PORTS[port].option, one.name, _passed_over(lacks))
            return one.name
        lacks[one.name] = missing
    raise KindMissing(
        f"The cluster has no {PORTS[port].option} for this step: {_each(lacks)}. Install one of their operators "
        f"(docs/clusters.md), or set {PORTS[port].variable} to a backend that runs elsewhere."
    )


def choices(port: str) -> tuple[registry.Backend, ...]:
    """The backends among which the cluster decides; none where a setting, or the place, has decided."""
    there = registry.candidates(port, KUBERNETES)
    decided = os.environ.get(PORTS[port].variable) or len(there) == 1 or chosen(port) not in [one.name for one in there]
    return () if decided else there


def _passed_over(lacks: Mapping[str, str]) -> str:
    return f" ({_each(lacks)})" if lacks else ""


def _each(lacks: Mapping[str, str]) -> str:
    return "; ".join(f"{name} lacks {missing}" for name, missing in lacks.items())


def chosen(port: str) -> str:
    """The backend that `auto` takes for the port of that name where the cluster is not asked: its first.

    Raises:
        InvalidSpec: no such platform, or a variable has an old name.
    """
    require_current_names()
    return os.environ.get(PORTS[port].variable) or _default(port) or f"auto on {place()}"


def choose(port: str, backend: str) -> None:
    """Have `auto` take `backend` for a port, given in any case, in this process and in those that it starts.

    Raises:
        InvalidSpec: no such port or backend; the message lists those that there are. A URI's scheme chooses storage, a
            model its task.
    """
    found = registry.port(port)
    if not found.by_setting:
        says = "the scheme of each URI" if found.by_scheme else "the command" if found.by_command else "the model"
        raise InvalidSpec(f"Nobody chooses {found.option}: {says} says which backend it is.")
    os.environ[found.variable] = registry.find(found.name, backend).name


def is_local(port: str) -> bool:
    """Whether `auto` carries out the port of that name on this machine."""
    return registry.find(port, chosen(port)).place != KUBERNETES


def _default(port: str) -> str | None:
    here = registry.default(port, LOCAL)
    if (follows := PORTS[port].follows) and is_local(follows):
        return here
    return registry.default(port, place()) or (None if in_pod() else here)


RENAMED = {
    "SEAWAY_METRICS": "SEAWAY_TRAFFIC_METRICS",
    "SEAWAY_MESH": "SEAWAY_SERVICE_GRAPH",
    "SEAWAY_STATE": "SEAWAY_ROLLOUT_STORE",
    "SEAWAY_TRACKER": "SEAWAY_MODEL_REGISTRY",
}


def require_current_names() -> None:
    """Raises: InvalidSpec: a setting of an earlier edition is set, and would be passed over without a word."""
    for old, new in RENAMED.items():
        if old in os.environ:
            raise InvalidSpec(f"{old} is now {new}: rename it in this environment or in ConfigMap seaway-settings.")
