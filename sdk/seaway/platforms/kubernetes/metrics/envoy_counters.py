"""From the counters of Istio's proxies, or of plain Envoys, to the counts of an endpoint's arms.

A counter belongs to a process: it starts at nothing when that starts, and a replica that comes or goes brings or takes
its own. `ArmTallies` adds up what each has counted, and begins anew where it cannot know what it has missed: counts
then fall, and a judge sees a look without evidence rather than a wrong one.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from seaway.errors import InvalidSpec, MetricsUnavailable
from seaway.monitoring import ArmCounts
from seaway.platforms.kubernetes.traffic.gateway import arm_of_cluster, service
from seaway.serving import DeployedEndpoint

ISTIO = ("istio_requests_total", "istio_request_duration_milliseconds_bucket")
ENVOY = ("envoy_cluster_upstream_rq", "envoy_cluster_upstream_rq_completed", "envoy_cluster_upstream_rq_time_bucket")
CLUSTER_LABELS = ("cluster_name", "envoy_cluster_name")  # as Istio's bootstrap and as Envoy's defaults call it
CODE_LABELS = ("response_code", "envoy_response_code")
INSTANCE_LABELS = ("instance", "pod")  # tell one process from another

Identity = tuple[str, frozenset[tuple[str, str]]]


class NotCounted(MetricsUnavailable):
    """An arm has no counters (yet): its first request makes them, and the next scrape brings them."""


@dataclass(frozen=True)
class Series:
    """One counter of one process: its name, its labels, and its values with their times in seconds, oldest first."""

    name: str
    labels: Mapping[str, str]
    values: Sequence[tuple[float, float]]

    @property
    def identity(self) -> Identity:
        return self.name, frozenset(self.labels.items())

    @property
    def instance(self) -> tuple[str, ...]:
        return tuple(self.labels.get(label, "") for label in INSTANCE_LABELS)

    def label(self, names: Sequence[str]) -> str:
        """The value of the first of these labels that there is."""
        return next((self.labels[name] for name in names if name in self.labels), "")


class Key(NamedTuple):
    """What is counted: requests, errors, or answers within a latency of so many seconds."""

    arm: str
    what: str
    within_s: float = math.inf


@dataclass
class Tally:
    """What has been counted since the counters were last seen to begin."""

    totals: Counter[Key] = field(default_factory=Counter)
    last: dict[Identity, tuple[float, float]] = field(default_factory=dict)
    instances: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, found: Sequence[tuple[str, Series]]) -> None:
        """Take in the counters as they are now, each with its arm."""
        now = {series.identity: series for _, series in found}
        instances = {series.instance for _, series in found}
        restarted = any(self._restarted(identity, now.get(identity)) for identity in self.last)
        if self.last and (restarted or instances - self.instances):
            self.totals.clear()
        else:
            for arm, series in found:
                grown = series.values[-1][1] - self.last.get(series.identity, (0.0, 0.0))[1]
                self.totals.update(dict.fromkeys(_keys(arm, series), grown))
        self.last = {identity: series.values[-1] for identity, series in now.items()}
        self.instances = instances

    def _restarted(self, identity: Identity, series: Series | None) -> bool:
        """Whether a counter has fallen since the last time, or is gone."""
        if series is None:
            return True
        at, value = self.last[identity]
        newer = [value, *(later for time, later in series.values if time > at)]
        return newer != sorted(newer)

    def counts(self, arm: str) -> ArmCounts:
        """Raises: InvalidSpec where they are impossible."""
        latency = {key.within_s: round(total) for key, total in self.totals.items() if key[:2] == (arm, "latency")}
        requests, errors = (round(self.totals[Key(arm, what)]) for what in ("requests", "errors"))
        return ArmCounts(requests, errors, latency)


class ArmTallies:
    """Tallies of endpoints, for as long as a rollout reads them."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def read(
        self, endpoint: DeployedEndpoint, namespace: str, series: Sequence[Series], source: str
    ) -> dict[str, ArmCounts]:
        """Counts by arm; `source` is who told the series.

        Raises:
            NotCounted: an arm has no counters.
            MetricsUnavailable: a value is impossible.
        """
        found = _of_one_family([(arm, one) for one in series if (arm := _arm(one, endpoint, namespace))])
        _require_all(endpoint, namespace, found, source)
        tally = self._tallies.setdefault(endpoint.name, Tally())
        tally.add(found)
        try:
            return {arm: tally.counts(arm) for arm in endpoint.arms}
        except InvalidSpec as error:
            raise MetricsUnavailable(f"{source} tells impossible counts: {error}") from error


def _arm(series: Series, endpoint: DeployedEndpoint, namespace: str) -> str:
    if series.name in ENVOY:
        return arm_of_cluster(series.label(CLUSTER_LABELS), endpoint, namespace)
    labels = series.labels
    once = labels.get("reporter") == "source"  # a sidecar at the destination reports the same requests
    if series.name not in ISTIO or not once or labels.get("destination_service_namespace") != namespace:
        return ""
    names = {service(endpoint, arm): arm for arm in endpoint.arms}
    return names.get(labels.get("destination_service_name", ""), "")


def _of_one_family(found: list[tuple[str, Series]]) -> list[tuple[str, Series]]:
    """Istio's own where there are some: its proxies may keep Envoy's counters of the same requests, too."""
    istio = [(arm, series) for arm, series in found if series.name in ISTIO]
    return istio or found


def _keys(arm: str, series: Series) -> Iterator[Key]:
    """What a counter counts. Istio's has a series for each code, Envoy's one for all and one for each."""
    failed = series.label(CODE_LABELS).startswith("5")
    if series.name.endswith("_bucket"):
        yield Key(arm, "latency", float(series.labels["le"]) / 1000)
    elif series.name in ("istio_requests_total", "envoy_cluster_upstream_rq_completed"):
        yield Key(arm, "requests")
    if failed and series.name in ("istio_requests_total", "envoy_cluster_upstream_rq"):
        yield Key(arm, "errors")


def _require_all(endpoint: DeployedEndpoint, namespace: str, found: Sequence[tuple[str, Series]], source: str) -> None:
    if lacking := sorted(endpoint.arms.keys() - {arm for arm, _ in found}):
        names = " and ".join(service(endpoint, arm) for arm in lacking)
        raise NotCounted(
            f"{source} has no counters of {names} in namespace {namespace}: has no request been sent there yet, and is "
            "the gateway scraped?"
        )
    for _, series in found:
        wrong = [value for _, value in series.values if not (math.isfinite(value) and value >= 0)]
        if wrong:
            raise MetricsUnavailable(f"{source} tells {wrong[0]} for counter {series.name}; that is no count.")
