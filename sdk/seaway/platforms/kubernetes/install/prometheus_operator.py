"""What a cluster's Prometheus operator and Grafana are given: manifests/monitoring."""

import json
from collections.abc import Iterator
from typing import Any

from seaway.model_server.arm import SERVER_STATISTICS, STATISTICS
from seaway.monitoring.alert_rules import JOB, Objectives, duration, rule_file
from seaway.monitoring.dashboards import dashboards
from seaway.platforms.kubernetes.client.naming import ENDPOINT
from seaway.platforms.kubernetes.serving.server_pod import VERSION

LABELS = {"app.kubernetes.io/name": "seaway", "app.kubernetes.io/component": "monitoring"}
SCRAPE_S = 15
EXPORTERS = {"envoy": STATISTICS, "server": SERVER_STATISTICS}  # told apart, or a pod would have one `up` for two


def prometheus_rule(objectives: Objectives) -> dict[str, Any]:
    """The rules as the operator takes them."""
    return {**_head("monitoring.coreos.com/v1", "PrometheusRule", "seaway"), "spec": rule_file(objectives)}


def pod_monitor() -> dict[str, Any]:
    """Scrapes each endpoint's pods: Envoy's counters and the model server's, both on the port of statistics."""
    relabelings = [
        _label(f"__meta_kubernetes_pod_label_{_meta(ENDPOINT)}", "endpoint"),
        _label(f"__meta_kubernetes_pod_label_{_meta(VERSION)}", "version"),
        {"targetLabel": "job", "replacement": JOB},
    ]
    scrapes = [
        {
            "port": "statistics",
            "path": path,
            "interval": duration(SCRAPE_S),
            "relabelings": [*relabelings, {"targetLabel": "exporter", "replacement": exporter}],
        }
        for exporter, path in EXPORTERS.items()
    ]
    spec = {"selector": {"matchExpressions": [{"key": ENDPOINT, "operator": "Exists"}]}, "podMetricsEndpoints": scrapes}
    return {**_head("monitoring.coreos.com/v1", "PodMonitor", "seaway-endpoints"), "spec": spec}


def service_monitor() -> dict[str, Any]:
    """Scrapes the Pushgateway that checks push to; the labels that they push are kept."""
    spec = {
        "selector": {"matchLabels": {"app.kubernetes.io/name": "prometheus-pushgateway"}},
        "endpoints": [{"port": "http", "path": "/metrics", "interval": duration(SCRAPE_S), "honorLabels": True}],
    }
    return {**_head("monitoring.coreos.com/v1", "ServiceMonitor", "seaway-checks"), "spec": spec}


def dashboard_maps(objectives: Objectives) -> Iterator[dict[str, Any]]:
    """A ConfigMap a dashboard, with the label by which the sidecar of Grafana's Helm chart finds it."""
    for file, content in dashboards(objectives).items():
        head = _head("v1", "ConfigMap", file.removesuffix(".json"))
        head["metadata"]["labels"] = {**LABELS, "grafana_dashboard": "1"}
        yield {**head, "data": {file: json.dumps(content, indent=1) + "\n"}}


def _head(api_version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "labels": dict(LABELS)}}


def _label(source: str, target: str) -> dict[str, Any]:
    return {"sourceLabels": [source], "targetLabel": target}


def _meta(label: str) -> str:
    """As Prometheus' discovery writes a label's name."""
    return "".join(letter if letter.isalnum() else "_" for letter in label)
