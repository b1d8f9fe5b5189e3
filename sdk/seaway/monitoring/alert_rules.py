"""What is recorded and what raises an alarm, from one statement of objectives: rule groups as Prometheus reads them.

The error budget is watched by several burn rates, each over a long and a short window (Beyer et al. 2018, The Site
Reliability Workbook, chapter 5): the long one says that it matters, the short one that it still goes on.
Series are told apart by `endpoint`, and by `via`: the counters of the pods' Envoy, or of Istio's proxies. A scrape sets
`endpoint` for Envoy's; Istio's destination is `ENDPOINT-stable` or `ENDPOINT-candidate`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec

MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds
UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": 1}
JOB = "seaway"  # of scrapes that reach endpoints
INFERENCE = 'envoy_cluster_name!~".*-control|admin|server-metrics"'  # health, metadata and scrapes are no traffic
ISTIO = 'reporter="source",destination_service_name=~".+-(stable|candidate)"'
FROM_DESTINATION = '"endpoint", "$1", "destination_service_name", "(.+)-(?:stable|candidate)"'
RUNBOOK = "docs/reference/alerts.md"


@dataclass(frozen=True)
class Burn:
    """An alarm where `budget` of the whole period's error budget would be gone after `long_s` seconds at this rate."""

    budget: float
    long_s: int
    short_s: int
    severity: str


BURNS = (  # table 5-8 of the workbook
    Burn(0.02, HOUR, 5 * MINUTE, "page"),
    Burn(0.05, 6 * HOUR, 30 * MINUTE, "page"),
    Burn(0.10, DAY, 2 * HOUR, "ticket"),
    Burn(0.10, 3 * DAY, 6 * HOUR, "ticket"),
)
WINDOWS = tuple(sorted({seconds for burn in BURNS for seconds in (burn.long_s, burn.short_s)}))


@dataclass(frozen=True)
class Objectives:
    """What an endpoint and its model are held to.

    Attributes:
        availability: share of requests that are answered without a 5xx.
        period_days: days over which the error budget, 1 - availability, may be used up.
        latency_s: most seconds of the `quantile` of answers.
        quantile: of the latency, in (0, 1).
        silence_s: seconds without a request after which there is no evidence of health.
        least_errors: errors in the long window below which no budget alarm is raised; one of two requests is no trend.
        label_delay_s: most seconds from a prediction to its label.
        check_period_s: seconds between two checks of drift; twice that without one is an alarm.

    Raises:
        InvalidSpec: out of range, or an alarm could never be raised: it would need more errors than requests.
    """

    availability: float = 0.995
    period_days: int = 30
    latency_s: float = 0.3
    quantile: float = 0.99
    silence_s: int = 30 * MINUTE
    least_errors: int = 10
    label_delay_s: int = 2 * DAY
    check_period_s: int = DAY

    def __post_init__(self) -> None:
        for name in ("availability", "quantile"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidSpec(f"{name} is {getattr(self, name)}; it must be between 0 and 1.")
        for name in ("period_days", "latency_s", "silence_s", "least_errors", "label_delay_s", "check_period_s"):
            if getattr(self, name) <= 0:
                raise InvalidSpec(f"{name} is {getattr(self, name)}; it must be positive.")
        if (ratio := max(map(self.error_ratio, BURNS))) >= 1:
            raise InvalidSpec(
                f"availability {self.availability} over {self.period_days} days would raise an alarm at an error ratio "
                f"of {ratio:.2f} only, which there cannot be; set a higher availability or a shorter period."
            )

    def error_ratio(self, burn: Burn) -> float:
        """The error ratio at which `burn` raises its alarm."""
        return burn.budget * self.period_days * DAY / burn.long_s * (1 - self.availability)


@dataclass(frozen=True)
class Recording:
    """A series that Prometheus computes and keeps."""

    record: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As in a Prometheus rule file."""
        return {
            "record": self.record,
            "expr": self.expression,
            **({"labels": dict(self.labels)} if self.labels else {}),
        }


@dataclass(frozen=True)
class Alert:
    """An alarm: `page` wakes a person, `ticket` waits for the day; `meaning` and `action` are for who reads it."""

    name: str
    expression: str
    severity: str
    summary: str
    meaning: str
    action: str
    for_s: int = 0

    def to_json(self) -> dict[str, Any]:
        """As in a Prometheus rule file."""
        wait = {"for": duration(self.for_s)} if self.for_s else {}
        annotations = {
            "summary": self.summary,
            "description": f"{self.meaning} {self.action}",
            "runbook": f"{RUNBOOK}#{self.name.lower()}",
        }
        labels = {"severity": self.severity}
        return {"alert": self.name, "expr": self.expression, **wait, "labels": labels, "annotations": annotations}


@dataclass(frozen=True)
class RuleGroup:
    """Rules that are evaluated together, one after the other."""

    name: str
    rules: Sequence[Recording | Alert]

    def to_json(self) -> dict[str, Any]:
        """As in a Prometheus rule file."""
        return {"name": self.name, "rules": [rule.to_json() for rule in self.rules]}


def groups(objectives: Objectives) -> tuple[RuleGroup, ...]:
    """All rules, in groups: traffic recorded, traffic alarms, model alarms."""
    return (
        RuleGroup("seaway-traffic", recordings(objectives)),
        RuleGroup("seaway-endpoints", endpoint_alerts(objectives)),
        RuleGroup("seaway-models", model_alerts(objectives)),
    )


def rule_file(objectives: Objectives) -> dict[str, Any]:
    """The content of a Prometheus rule file, and the `spec` of a PrometheusRule."""
    return {"groups": [group.to_json() for group in groups(objectives)]}


def duration(seconds: int) -> str:
    """Seconds in the largest whole unit of Prometheus' durations."""
    unit = next(unit for unit, size in UNITS.items() if seconds % size == 0)
    return f"{seconds // UNITS[unit]}{unit}"


def recordings(objectives: Objectives) -> list[Recording]:
    """Requests and errors a second over each window, their ratio, and the latency's quantile."""
    recorded = []
    for seconds in sorted({*WINDOWS, objectives.silence_s}):
        window = duration(seconds)
        for via, (requests, errors) in _counters(window).items():
            label = {"via": via}
            recorded += [
                Recording(f"seaway:requests:rate{window}", requests, label),
                # a counter of errors comes into being with the first one
                Recording(f"seaway:errors:rate{window}", f"{errors} or 0 * {requests}", label),
            ]
        ratio = f"seaway:errors:rate{window} / (seaway:requests:rate{window} > 0)"
        recorded.append(Recording(f"seaway:error_ratio:rate{window}", ratio))
    recorded += [Recording("seaway:latency_seconds:quantile5m", _latency(objectives.quantile, via), {"via": via})
                 for via in ("envoy", "istio")]  # fmt: skip
    return recorded


def _counters(window: str) -> dict[str, tuple[str, str]]:
    """Requests and errors a second, by who counts them."""
    failed = 'envoy_response_code_class="5"'
    return {
        "envoy": (
            f"sum by (endpoint) (rate(envoy_cluster_upstream_rq_completed{{{INFERENCE}}}[{window}]))",
            f"sum by (endpoint) (rate(envoy_cluster_upstream_rq_xx{{{INFERENCE},{failed}}}[{window}]))",
        ),
        "istio": (_istio(f"istio_requests_total{{{ISTIO}}}", window),
                  _istio(f'istio_requests_total{{{ISTIO},response_code=~"5.."}}', window)),
    }  # fmt: skip


def _istio(selector: str, window: str, by: str = "endpoint") -> str:
    return f"sum by ({by}) (label_replace(rate({selector}[{window}]), {FROM_DESTINATION}))"


def _latency(quantile: float, via: str) -> str:
    """Seconds; both proxies' buckets are in milliseconds."""
    if via == "envoy":
        buckets = f"sum by (endpoint, le) (rate(envoy_cluster_upstream_rq_time_bucket{{{INFERENCE}}}[5m]))"
    else:
        buckets = _istio(f"istio_request_duration_milliseconds_bucket{{{ISTIO}}}", "5m", "endpoint, le")
    return f"histogram_quantile({quantile:g}, {buckets}) / 1000"


def endpoint_alerts(objectives: Objectives) -> list[Alert]:
    """Alarms about an endpoint's traffic."""
    silence = duration(objectives.silence_s)
    return [
        *(_burn_alert(objectives, burn) for burn in BURNS),
        Alert(
            "SeawayUnavailable",
            f'sum by (endpoint) (up{{job="{JOB}"}}) == 0',
            "page",
            "No server of {{ $labels.endpoint }} answers",
            "Every server of the endpoint has failed its scrapes.",
            "Look at the pods' state and last log lines; roll back what was deployed last.",
            for_s=2 * MINUTE,
        ),
        Alert(
            "SeawayMetricsMissing",
            f'count by (endpoint) (up{{job="{JOB}"}} offset 1h) unless count by (endpoint) (up{{job="{JOB}"}})',
            "page",
            "{{ $labels.endpoint }} is no longer scraped",
            "The endpoint was scraped an hour ago and is not now, so none of its other alarms can be raised.",
            "Look whether it was removed on purpose, and at the PodMonitor's selector.",
            for_s=5 * MINUTE,
        ),
        Alert(
            "SeawayNoRequests",
            f"max by (endpoint) (seaway:requests:rate{silence}) == 0",
            "ticket",
            f"{{{{ $labels.endpoint }}}} has had no request for {silence}",
            "Neither its own proxies nor Istio's have counted one, and without requests nothing can be told of errors, "
            "latency or drift.",
            "Ask the callers, and look at the route before the endpoint.",
        ),
        Alert(
            "SeawayLatency",
            f"seaway:latency_seconds:quantile5m > {objectives.latency_s:g}",
            "page",
            "{{ $labels.endpoint }} answers slowly: {{ $value | humanizeDuration }}",
            f"The {objectives.quantile:.0%} quantile of the latency is above {objectives.latency_s:g} s.",
            "Look at the queue's share on the dashboard: a long queue wants replicas, a slow model fewer layers.",
            for_s=10 * MINUTE,
        ),
    ]


def _burn_alert(objectives: Objectives, burn: Burn) -> Alert:
    limit = f"{objectives.error_ratio(burn):.6g}"
    long, short = duration(burn.long_s), duration(burn.short_s)
    expression = (
        f"seaway:error_ratio:rate{long} > {limit} and seaway:error_ratio:rate{short} > {limit} "
        f"and seaway:errors:rate{long} * {burn.long_s} >= {objectives.least_errors}"
    )
    return Alert(
        f"SeawayErrorBudget{long}",
        expression,
        burn.severity,
        "{{ $labels.endpoint }} fails {{ $value | humanizePercentage }} of its requests",
        f"At this rate {burn.budget:.0%} of the {objectives.period_days} days' error budget is gone in {long}.",
        "Roll back what was deployed last, then read the servers' logs.",
    )


def model_alerts(objectives: Objectives) -> list[Alert]:
    """Alarms about a model: what the scheduled checks publish, and whether they run."""
    age = 2 * objectives.check_period_s
    return [
        Alert(
            "SeawayDrift",
            "max by (model) (seaway_drift_alarm) == 1",
            "ticket",
            "The inputs or predictions of {{ $labels.model }} have drifted",
            "They differ from the training data by more than chance and by more than a trifle.",
            "Open the drift report; the retraining pipeline trains, tests and rolls out a successor.",
        ),
        Alert(
            "SeawayQuality",
            "max by (model) (seaway_quality_worse) == 1",
            "page",
            "{{ $labels.model }} predicts worse than when it was tested",
            "Labels have arrived, and the whole interval of a figure lies beyond what is tolerated.",
            "Run the retraining pipeline; roll back if an older version is better on the same rows.",
        ),
        Alert(
            "SeawaySkew",
            "max by (model, feature) (seaway_skew_share) > 0",
            "page",
            "{{ $labels.feature }} of {{ $labels.model }} is served otherwise than trained",
            "A feature that was logged at serving is not what the feature repository gives for that row and time.",
            "Compare the feature's two definitions; the report shows rows.",
        ),
        Alert(
            "SeawayLabelsLate",
            f"max by (model) (seaway_label_delay_seconds) > {objectives.label_delay_s}",
            "ticket",
            "Labels of {{ $labels.model }} arrive after {{ $value | humanizeDuration }}",
            "The quality that is shown is as old as its labels.",
            "Look at the source of the labels.",
        ),
        Alert(
            "SeawayCheckOverdue",
            f"time() - max by (model) (seaway_checked_timestamp_seconds) > {age}",
            "ticket",
            "{{ $labels.model }} has not been checked for {{ $value | humanizeDuration }}",
            "Without a check there is no alarm of drift, quality or skew.",
            "Look at the scheduled pipeline's last run.",
        ),
    ]
