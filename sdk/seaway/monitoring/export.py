"""Figures of a check, as Prometheus reads them: a text file, or a Pushgateway where `SEAWAY_PUSHGATEWAY_URL` names one.

A file is read by node_exporter's textfile collector, or by any server that shows it.
"""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.errors import MetricsUnavailable
from seaway.monitoring.drift import DriftReport
from seaway.monitoring.live_quality import QualityReport
from seaway.monitoring.skew import SkewReport

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

GATEWAY_VARIABLE = "SEAWAY_PUSHGATEWAY_URL"
TIMEOUT_S = 10
HELP = {
    "seaway_checked_timestamp_seconds": "When the check ended, seconds since 1970.",
    "seaway_drift_alarm": "1 where inputs or predictions have drifted.",
    "seaway_drift_columns_share": "Share of columns that have drifted.",
    "seaway_drift_distance": "Distance of a column from the training data: Wasserstein's in standard deviations, or "
    "Jensen-Shannon's.",
    "seaway_drift_column": "1 where a column has drifted.",
    "seaway_quality_figure": "A figure of quality on the rows whose labels are known.",
    "seaway_quality_low": "Lower end of the figure's 95 % interval.",
    "seaway_quality_high": "Upper end of the figure's 95 % interval.",
    "seaway_quality_worse": "1 where a figure is worse than when the model was tested.",
    "seaway_labelled_share": "Share of rows whose labels are known.",
    "seaway_label_delay_seconds": "Median time from a prediction to its label.",
    "seaway_skew_share": "Share of rows whose served feature is not the recomputed one.",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """One value of a metric of `HELP`, with labels."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def of_drift(report: DriftReport) -> Iterator[Sample]:
    """The figures of a drift report."""
    yield Sample("seaway_drift_alarm", report.alarm)
    yield Sample("seaway_drift_columns_share", report.share)
    for column in report.columns:
        yield Sample("seaway_drift_distance", column.distance, {"column": column.name})
        yield Sample("seaway_drift_column", column.drifted, {"column": column.name})


def of_quality(report: QualityReport) -> Iterator[Sample]:
    """The figures of a quality report."""
    yield Sample("seaway_quality_worse", bool(report.worse))
    yield Sample("seaway_labelled_share", report.labelled / report.rows if report.rows else 0.0)
    if report.delay_s is not None:
        yield Sample("seaway_label_delay_seconds", report.delay_s)
    for name, figure in report.figures.items():
        for end, value in (("figure", figure.value), ("low", figure.low), ("high", figure.high)):
            yield Sample(f"seaway_quality_{end}", value, {"figure": name})


def of_skew(report: SkewReport) -> Iterator[Sample]:
    """The figures of a skew report."""
    for feature in report.features:
        yield Sample("seaway_skew_share", feature.share, {"feature": feature.name})


def publish(model: str, check: str, samples: Iterable[Sample], folder: Path) -> dict[str, float]:
    """Publish the figures of one check of a model, in the place of those of the check before.

    Args:
        model: Registered model's name.
        check: Such as "drift"; a model's checks are published apart.
        samples: Of one report; none where nothing was checked, which leaves what was published before.
        folder: Where the text file goes; it is written whether there is a Pushgateway or not.

    Returns:
        The figures without labels by metric, for a tracker.

    Raises:
        MetricsUnavailable: the Pushgateway does not take them.
    """
    if not (found := list(samples)):
        return {}
    kept = [*found, Sample("seaway_checked_timestamp_seconds", time.time(), {"check": check})]
    registry = _registry(model, kept)
    _write(registry, folder / f"seaway_{model}_{check}.prom")
    if gateway := os.environ.get(GATEWAY_VARIABLE):
        _push(registry, gateway, model, check)
    return {sample.name: float(sample.value) for sample in kept if not sample.labels}


def _registry(model: str, samples: list[Sample]) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for sample in samples:
        if sample.name not in gauges:
            gauges[sample.name] = Gauge(sample.name, HELP[sample.name], ["model", *sample.labels], registry=registry)
        gauges[sample.name].labels(model=model, **sample.labels).set(sample.value)
    return registry


def _write(registry: "CollectorRegistry", target: Path) -> None:
    from prometheus_client import write_to_textfile

    target.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(target), registry)
    log.info("figures for Prometheus are in %s", target)


def _push(registry: "CollectorRegistry", gateway: str, model: str, check: str) -> None:
    from prometheus_client import push_to_gateway

    try:
        push_to_gateway(gateway, f"seaway-{check}", registry, {"model": model}, TIMEOUT_S)
    except OSError as error:
        raise MetricsUnavailable(
            f"The Pushgateway {gateway} does not take the figures of {model} ({error}); see {GATEWAY_VARIABLE}."
        ) from error
