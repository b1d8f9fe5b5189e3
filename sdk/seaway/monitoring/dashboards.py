"""Grafana dashboards from the same objectives as the rules: one of an endpoint's traffic, one of a model.

The JSON is that of Grafana's dashboard model (grafana.com/docs, "JSON model"), as provisioning and the sidecar of its
Helm chart read it. The data source is a variable, so that a dashboard fits any Prometheus.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seaway.monitoring.alert_rules import INFERENCE, JOB, Objectives

SCHEMA_VERSION = 39  # Grafana 11; later ones read it and migrate
WIDTH, HEIGHT = 12, 8  # of a panel, on Grafana's grid of 24 columns
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
ENDPOINT = 'endpoint=~"$endpoint"'
MODEL = 'model=~"$model"'


@dataclass(frozen=True)
class Query:
    """An expression and the name of each of its lines."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """A chart, its unit by Grafana's name, and the value from which on it is bad."""

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    limit: float | None = None
    kind: str = "timeseries"

    def to_json(self, place: int) -> dict[str, Any]:
        """The panel at its place in two columns."""
        columns = 24 // WIDTH
        position = {"h": HEIGHT, "w": WIDTH, "x": place % columns * WIDTH, "y": place // columns * HEIGHT}
        steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
        if self.limit is not None:
            steps.append({"color": "red", "value": self.limit})
        style = {"thresholdsStyle": {"mode": "line" if self.limit is not None else "off"}}
        defaults = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}, "custom": style}
        return {
            "id": place + 1,
            "title": self.title,
            "type": self.kind,
            "datasource": SOURCE,
            "gridPos": position,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}}
            if self.kind == "timeseries"
            else {},
            "targets": [
                {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": query.expression,
                 "legendFormat": query.legend}
                for index, query in enumerate(self.queries)
            ],
        }  # fmt: skip


def dashboards(objectives: Objectives) -> dict[str, dict[str, Any]]:
    """Grafana's JSON by file name."""
    return {
        "seaway-endpoint.json": _dashboard("Seaway endpoint", "endpoint", f'up{{job="{JOB}"}}', endpoint(objectives)),
        "seaway-model.json": _dashboard("Seaway model", "model", "seaway_checked_timestamp_seconds", model(objectives)),
    }


def endpoint(objectives: Objectives) -> list[Panel]:
    """Panels of an endpoint's traffic."""
    served = f"{ENDPOINT},{INFERENCE}"
    means = {"a batch": _mean("seaway_server_batch_seconds"), "queue": _mean("seaway_server_queue_seconds")}
    return [
        Panel("Requests", [Query(f"seaway:requests:rate5m{{{ENDPOINT}}}", "{{endpoint}} by {{via}}")], "reqps"),
        Panel(
            "Errors",
            [Query(f"seaway:error_ratio:rate{span}{{{ENDPOINT}}}", f"{{{{via}}}} {span}") for span in ("5m", "1h")],
            "percentunit",
            1 - objectives.availability,
        ),
        Panel(
            f"Latency, {objectives.quantile:.0%} quantile",
            [Query(f"seaway:latency_seconds:quantile5m{{{ENDPOINT}}}", "{{endpoint}} by {{via}}")],
            "s",
            objectives.latency_s,
        ),
        Panel(
            "Error budget left",
            [Query(f"1 - seaway:error_ratio:rate3d{{{ENDPOINT}}} / {1 - objectives.availability:.6g}", "{{via}}")],
            "percentunit",
        ),
        Panel(
            "Answers by status",
            [Query(f"sum by (envoy_response_code) (rate(envoy_cluster_upstream_rq{{{served}}}[5m]))",
                   "{{envoy_response_code}}")],
            "reqps",
        ),
        Panel("Model server, mean time", [Query(text, what) for what, text in means.items()], "s"),
        Panel(
            "Requests in flight",
            [Query(f"sum by (endpoint) (envoy_cluster_upstream_rq_active{{{served}}})", "{{endpoint}}")],
        ),
        Panel("Servers that answer", [Query(f'sum by (endpoint) (up{{job="{JOB}",{ENDPOINT}}})', "{{endpoint}}")]),
    ]  # fmt: skip


def _mean(summary: str) -> str:
    """The mean of the last minutes of what a model server sums and counts."""
    total, count = (f"sum by (endpoint) (rate({summary}_{part}{{{ENDPOINT}}}[5m]))" for part in ("sum", "count"))
    return f"{total} / {count}"


def model(objectives: Objectives) -> list[Panel]:
    """Panels of a model's drift, quality and skew."""
    low, value, high = (f"seaway_quality_{end}{{{MODEL}}}" for end in ("low", "figure", "high"))
    return [
        Panel("Drifted columns", [Query(f"seaway_drift_columns_share{{{MODEL}}}", "{{model}}")], "percentunit"),
        Panel("Farthest columns", [Query(f"topk(10, seaway_drift_distance{{{MODEL}}})", "{{column}}")], limit=0.1),
        Panel(
            "Quality with its 95 % interval",
            [Query(value, "{{figure}}"), Query(low, "{{figure}}, low"), Query(high, "{{figure}}, high")],
        ),
        Panel("Rows with labels", [Query(f"seaway_labelled_share{{{MODEL}}}", "{{model}}")], "percentunit"),
        Panel(
            "Label delay",
            [Query(f"seaway_label_delay_seconds{{{MODEL}}}", "{{model}}")],
            "s",
            objectives.label_delay_s,
        ),
        Panel("Skewed features", [Query(f"seaway_skew_share{{{MODEL}}} > 0", "{{feature}}")], "percentunit"),
        Panel(
            "Time since the last check",
            [Query(f"time() - seaway_checked_timestamp_seconds{{{MODEL}}}", "{{check}}")],
            "s",
            2 * objectives.check_period_s,
        ),
        Panel("Alarms", [Query('ALERTS{alertname=~"Seaway.*",alertstate="firing"}', "{{alertname}}")], kind="table"),
    ]


def _dashboard(title: str, label: str, series: str, panels: Sequence[Panel]) -> dict[str, Any]:
    return {
        "uid": title.lower().replace(" ", "-"),
        "title": title,
        "tags": ["seaway"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "refresh": "1m",
        "timezone": "utc",
        "time": {"from": "now-6h", "to": "now"},
        "annotations": {"list": []},
        "templating": {"list": [_sources(), _values(label, series)]},
        "panels": [panel.to_json(place) for place, panel in enumerate(panels)],
    }


def _sources() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}


def _values(label: str, series: str) -> dict[str, Any]:
    return {
        "name": label,
        "label": label.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values({series}, {label})", "refId": label},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }
