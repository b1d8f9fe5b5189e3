"""`python -m seaway.training.ray.driver`: the job that Ray starts: a program on each bundle of a placement group.

The first bundle's address becomes torchrun's rendezvous, as the operators of Kubeflow set it for their pods; so what
runs in a bundle is what runs in a pod, `python -m seaway.training.pod`.
"""

import logging
import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, NodeDiedError, WorkerCrashedError
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from seaway.entrypoint import run
from seaway.signals import sigterm_raises
from seaway.training.ray.group import NO_RESOURCES, OUT_OF_TIME, VARIABLE, Group

LOST = (ActorDiedError, ActorUnavailableError, NodeDiedError, WorkerCrashedError)
LOOK_S = 0.5  # between looks at what the bundles say
END_S = 30.0  # for a bundle's processes to end after SIGTERM
log = logging.getLogger("seaway.training.ray.driver")


class Node:
    """The actor of a bundle: it holds the bundle's resources while a child trains."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._said: deque[str] = deque()

    def address(self) -> tuple[str, int]:
        """Where the processes of this bundle can be met."""
        with socket.socket() as free:
            free.bind(("", 0))
            return ray.util.get_node_ip_address(), free.getsockname()[1]

    def train(self, variables: dict[str, str]) -> int:
        """Run the child to its end; returns its exit code."""
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "seaway.training.ray.node"],
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for line in self._process.stdout or ():
            self._said.append(line.rstrip("\n"))
        return self._process.wait()

    def said(self) -> list[str]:
        """Lines of the child that nobody has asked for yet."""
        return [self._said.popleft() for _ in range(len(self._said))]

    def end(self) -> None:
        """End the child, which keeps its last checkpoint."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(END_S)


def main() -> int:
    """Train; the exit code is that of the bundle that failed first, or 0."""
    group = Group.parse(os.environ[VARIABLE])
    ray.init(log_to_driver=False, logging_level=logging.WARNING)
    ends = None
    for start in range(group.restarts + 1):
        with sigterm_raises(), _placed(group) as placed:
            if placed is None:
                return NO_RESOURCES
            ends = ends or time.monotonic() + group.timeout_s
            try:
                return _train(group, placed, ends)
            except LOST as lost:
                log.warning("A node or its actor was lost (%s); start %d of %d.",
                            _first_line(lost), start + 1, group.restarts + 1)  # fmt: skip
    log.error("Nodes were lost too often: placement.restarts is %d.", group.restarts)
    return 1


@contextmanager
def _placed(group: Group) -> Iterator[PlacementGroup | None]:
    """The bundles, once the cluster has them; None where it has not in time."""
    bundles = [dict(group.bundle)] * group.nodes
    placed = placement_group(bundles, strategy=group.strategy)
    try:
        if not placed.wait(LOOK_S):
            log.info("Waiting for %s; the cluster has %s, of which are free %s.",
                     bundles, _amounts(ray.cluster_resources()), _amounts(ray.available_resources()))  # fmt: skip
        if placed.wait(group.queue_s):
            yield placed
        else:
            log.error("The cluster did not have %s within %g s (placement.queue_s).", bundles, group.queue_s)
            yield None
    finally:
        remove_placement_group(placed)


def _train(group: Group, placed: PlacementGroup, ends: float) -> int:
    actor: Any = ray.remote(Node)
    nodes = [actor.options(**_share(group, placed, rank)).remote() for rank in range(group.nodes)]
    host, port = ray.get(nodes[0].address.remote())
    training = [node.train.remote(_variables(group, rank, host, port)) for rank, node in enumerate(nodes)]
    try:
        return _watched(nodes, training, ends)
    finally:
        ray.wait([node.end.remote() for node in nodes], num_returns=len(nodes), timeout=END_S)


def _share(group: Group, placed: PlacementGroup, rank: int) -> dict[str, Any]:
    """All of a bundle's resources."""
    others = {name: amount for name, amount in group.bundle.items() if name not in ("CPU", "GPU")}
    strategy = PlacementGroupSchedulingStrategy(placed, placement_group_bundle_index=rank)
    return {
        "max_concurrency": 3,  # one trains, one is asked, one is told to end
        "num_cpus": group.bundle["CPU"],
        "num_gpus": group.bundle.get("GPU", 0),
        "resources": others,
        "scheduling_strategy": strategy,
    }


def _variables(group: Group, rank: int, host: str, port: int) -> dict[str, str]:
    """The rendezvous as torchrun's variables; on loopback where one bundle holds all."""
    alone = group.nodes == 1
    loopback = {name: os.environ.get(name, "lo") for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")}
    return {
        "PET_NNODES": str(group.nodes),
        "PET_NODE_RANK": str(rank),
        "PET_NPROC_PER_NODE": str(group.processes),
        "PET_MASTER_ADDR": "127.0.0.1" if alone else host,
        "PET_MASTER_PORT": str(port),
        "OMP_NUM_THREADS": str(group.cpus),
        **(loopback if alone else {}),
    }


def _watched(nodes: Sequence[Any], training: Sequence[Any], ends: float) -> int:
    """The first exit code that is not 0, or 0 once all have ended; what bundles say is told with their number."""
    left = list(training)
    while left:
        done, left = ray.wait(left, num_returns=1, timeout=LOOK_S)
        codes = ray.get(done)
        for rank, lines in enumerate(ray.get([node.said.remote() for node in nodes])):
            for line in lines:
                log.info("%d: %s", rank, line)
        if failed := next((code for code in codes if code), 0):
            return 128 - failed if failed < 0 else int(failed)
        if time.monotonic() > ends:
            log.error("The training did not end in its time (timeout_s); started again, it resumes.")
            return OUT_OF_TIME
    return 0


def _amounts(resources: dict[str, float]) -> dict[str, float]:
    return {name: amount for name, amount in resources.items() if not name.startswith(("node:", "bundle"))}


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


if __name__ == "__main__":
    run(main)
