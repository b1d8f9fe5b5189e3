"""The gateway in front of the endpoints: where it is, how it splits traffic, and the proof that it follows new weights.

Weights written to the API server are a wish. What counts is what the gateway does: its Envoy's own configuration, where
its administration port can be reached, and its answers.
"""

import json
import logging
import math
import os
import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from seaway.errors import TrafficFailed
from seaway.platforms.kubernetes.client.http import fetch
from seaway.serving import DeployedEndpoint
from seaway.serving.clients.trust import Trust

ARM, VERSION, MARK = "x-seaway-arm", "x-seaway-version", "x-seaway-config"  # headers of an answer
LIVE = "/v2/health/live"
READY = "/v2/health/ready"  # which an arm answers, where the gateway itself answers LIVE
FOLLOW_S = 30.0  # istiod gathers changes for 0.1 to 10 s before it sends them (PILOT_DEBOUNCE_AFTER, _MAX)
ANSWER_S = 5.0
POLL_S = 0.05
PROOFS = 8  # answers in a row, each by a connection of its own, so that they come from all workers and replicas
EVIDENCE = math.log(1_000_000)  # answers to a false alarm, on average (Lorden 1971); some dozens prove a change
CLUSTER = re.compile(r"outbound\|(?P<port>\d+)\|(?P<subset>[^|]*)\|(?P<service>[^.|]+)\.(?P<namespace>[^.|]+)\.svc\b")
log = logging.getLogger(__name__)

Weights = Mapping[str, int]


class NotFollowed(TrafficFailed):
    """The traffic does not follow the weights in time."""


@dataclass(frozen=True)
class Gateway:
    """Settings of the gateway.

    `name` is the `namespace/name` of the Gateway object that routes attach to, or its name alone in their namespace;
    `admin` the URL of its Envoy's administration port, `stats` that of its counters as Prometheus reads them; both are
    empty where they are closed.
    """

    name: str = field(default_factory=lambda: os.environ.get("SEAWAY_GATEWAY", "kubeflow/kubeflow-gateway"))
    admin: str = field(default_factory=lambda: os.environ.get("SEAWAY_GATEWAY_ADMIN", ""))
    stats: str = field(default_factory=lambda: os.environ.get("SEAWAY_GATEWAY_STATS", ""))

    def split(self, endpoint: DeployedEndpoint, namespace: str, name: str = "") -> dict[str, int]:
        """Per cent by arm, as the gateway's Envoy has them for requests that name no arm.

        Args:
            name: the Envoy's name of the route; empty for the first that leads to the arms.

        Raises:
            TrafficFailed: the Envoy does not tell, or has no route of the endpoint.
        """
        try:
            answer = fetch(f"{self.admin}/config_dump?resource=dynamic_route_configs", ANSWER_S)
            dump = json.loads(answer.body)
        except (OSError, ValueError) as error:
            raise TrafficFailed(
                f"The gateway's Envoy at {self.admin} does not tell its routes: {error}. SEAWAY_GATEWAY_ADMIN is the "
                "URL of its administration port; leave it unset to be content with its answers."
            ) from error
        for route in _routes(dump, endpoint.host):
            named = f"{route.get('name', '')}.".startswith(f"{name}.") if name else not route["match"].get("headers")
            if named and (found := _split(route, endpoint, namespace)):
                return found
        raise TrafficFailed(
            f"The gateway has no route of host {endpoint.host} to endpoint {endpoint.name}: is the route attached to "
            f"Gateway {self.name} (SEAWAY_GATEWAY), and does that Gateway take its host and namespace?"
        )


def _routes(dump: Mapping[str, Any], host: str) -> Iterator[dict[str, Any]]:
    """Routes of the virtual hosts for `host`, in order."""
    for config in dump.get("configs", ()):
        for virtual in config.get("route_config", {}).get("virtual_hosts", ()):
            if any(domain in (host, "*") or domain.startswith(f"{host}:") for domain in virtual["domains"]):
                yield from virtual.get("routes", ())


def _split(route: Mapping[str, Any], endpoint: DeployedEndpoint, namespace: str) -> dict[str, int]:
    """Weights by arm; empty where the route leads elsewhere. Envoy leaves arms of weight 0 out."""
    action = route.get("route", {})
    whole = [{"name": action["cluster"], "weight": 100}] if "cluster" in action else []
    clusters = action.get("weighted_clusters", {}).get("clusters", whole)
    shares = {
        arm_of_cluster(cluster["name"], endpoint, namespace): int(cluster.get("weight", 0)) for cluster in clusters
    }
    if not shares or "" in shares:
        return {}
    return {arm: shares.get(arm, 0) for arm in endpoint.arms}


def arm_of_cluster(cluster: str, endpoint: DeployedEndpoint, namespace: str) -> str:
    found = CLUSTER.match(cluster)
    if not found or found["namespace"] != namespace:
        return ""
    marks = (found["subset"], found["service"])
    return next((arm for arm in endpoint.arms if arm in marks or service(endpoint, arm) in marks), "")


def service(endpoint: DeployedEndpoint, arm: str) -> str:
    """The Service of an arm."""
    return f"{endpoint.name}-{arm}"


def await_mark(endpoint: DeployedEndpoint, mark: str) -> None:
    """Return once answers carry `mark`, which the route sets together with its weights.

    Raises:
        TrafficFailed: they do not in time.
    """
    deadline, seen = time.monotonic() + FOLLOW_S, 0
    while seen < PROOFS:
        carried = _answer(endpoint).get(MARK, "")
        seen = seen + 1 if carried == mark else 0
        if not seen:
            require_time(endpoint, deadline, f"answers carry {MARK}: {carried or 'nothing'}, not {mark}")
            time.sleep(POLL_S)


def await_shift(endpoint: DeployedEndpoint, before: Weights, after: Weights) -> None:
    """Return once the arms that answer tell that the weights have changed, by Page's CUSUM test (Biometrika 1954).

    For routes that carry no mark. The answers are asked of the arms and count as their requests.

    Raises:
        TrafficFailed: they do not in time.
    """
    deadline, evidence = time.monotonic() + FOLLOW_S, 0.0
    while before != after and evidence < EVIDENCE:
        arm = answering_arm(endpoint, _answer(endpoint))
        evidence = max(0.0, evidence + _evidence(before.get(arm, 0), after.get(arm, 0)))
        require_time(endpoint, deadline, f"the arms answer as by weights {dict(before)}, not {dict(after)}")


def _evidence(before: int, after: int) -> float:
    """How much likelier the answer of an arm with these weights is after the change, as a logarithm."""
    if not after:
        return -math.inf
    return math.log(after / before) if before else math.inf


def await_answers(endpoint: DeployedEndpoint, arms: Collection[str]) -> None:
    """Return once these arms answer, and nobody else, by each of some connections in a row.

    Raises:
        NotFollowed: they do not in time.
    """
    deadline, seen = time.monotonic() + FOLLOW_S, 0
    while seen < PROOFS:
        answer = _answer(endpoint, READY)
        arm = answering_arm(endpoint, answer)
        seen = seen + 1 if arm in arms else 0
        if not seen:
            require_time(endpoint, deadline, f"{arm or 'no arm'} answers, not {' or '.join(sorted(arms))}")
            time.sleep(POLL_S)


def answering_arm(endpoint: DeployedEndpoint, headers: Mapping[str, str]) -> str:
    """The arm that an answer names, or whose version it names; empty where it names neither."""
    versions = {arm.version: name for name, arm in endpoint.arms.items()}
    return headers.get(ARM) or versions.get(headers.get(VERSION, ""), "")


def carried_mark(endpoint: DeployedEndpoint) -> str:
    """The mark that answers carry now; empty where there is none or no answer."""
    return _answer(endpoint).get(MARK, "")


def _answer(endpoint: DeployedEndpoint, path: str = LIVE) -> Mapping[str, str]:
    """Headers of one answer by a connection of its own; none of a failure, which a gateway marks as an arm's too."""
    host = {"host": endpoint.host} if endpoint.host else {}
    try:
        answer = fetch(endpoint.url + path, ANSWER_S, {**host, "connection": "close"}, Trust.here())
    except OSError as error:
        log.debug("no answer of endpoint %s: %s", endpoint.name, error)
        return {}
    return answer.headers if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR else {}


def require_time(endpoint: DeployedEndpoint, deadline: float, said: str) -> None:
    if time.monotonic() > deadline:
        where = f"{endpoint.url}, host {endpoint.host}" if endpoint.host else endpoint.url
        gateway = "Does istiod run, and is the gateway connected to it (`istioctl proxy-status`)?"
        proxy = "Does kube-proxy run on this pod's node, and does a NetworkPolicy let this pod in?"
        raise NotFollowed(
            f"The traffic of endpoint {endpoint.name} ({where}) does not follow its weights in time: {said}. "
            f"{gateway if endpoint.host else proxy}"
        )
