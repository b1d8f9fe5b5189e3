"""The mesh around an endpoint as Kiali draws it from Istio's metrics, else as those metrics themselves tell it.

Kiali's API is no public contract, so an answer that is not understood is none, and Prometheus is asked instead.
"""

import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from seaway.errors import MetricsUnavailable
from seaway.monitoring import Callers
from seaway.monitoring.service_graph import Edge
from seaway.platforms.kubernetes.client.connection import connected
from seaway.platforms.kubernetes.client.http import fetch
from seaway.platforms.kubernetes.client.prometheus import query
from seaway.platforms.kubernetes.traffic.gateway import Gateway, service
from seaway.serving import DeployedEndpoint

TIMEOUT_S = 5.0
LEAST_S = 60  # a rate needs two scrapes
ISTIO = "istio-system"  # where Istio's own gateways are, wherever their Gateway objects
Labels = Mapping[str, Any]
log = logging.getLogger(__name__)


class KialiServiceGraph:
    """The `ServiceGraph` port by Kiali, else by Prometheus.

    Args:
        namespace: of the endpoints; by default this process's.
        kiali: URL; by default `SEAWAY_KIALI_URL`. `SEAWAY_KIALI_TOKEN_FILE` holds a bearer token where it wants one.
        prometheus: URL; by default `SEAWAY_PROMETHEUS_URL`.
    """

    def __init__(self, namespace: str | None = None, kiali: str | None = None, prometheus: str | None = None) -> None:
        self._namespace = namespace or connected().namespace
        self._kiali = (os.environ.get("SEAWAY_KIALI_URL", "") if kiali is None else kiali).rstrip("/")
        self._prometheus = os.environ.get("SEAWAY_PROMETHEUS_URL", "") if prometheus is None else prometheus

    def read(self, endpoint: DeployedEndpoint, seconds: int) -> Callers:
        """Edges to the endpoint's Services over the last `seconds`, at least a minute, by who first knows of any."""
        seconds = max(seconds, LEAST_S)
        services, notes, told = {service(endpoint, arm) for arm in endpoint.arms}, [], ""
        for source, url, read in (("kiali", self._kiali, _by_kiali), ("prometheus", self._prometheus, _by_prometheus)):
            if not url:
                notes.append(f"no URL of {source} is set")
                continue
            try:
                edges = tuple(edge for edge in read(url, self._namespace, seconds) if edge.target in services)
            except (OSError, MetricsUnavailable, ValueError, LookupError, TypeError, AttributeError) as error:
                log.info("no graph from %s: %s", source, error)
                notes.append(f"{source} at {urlsplit(url).hostname} did not tell it: {error}")
                continue
            told = told or source
            if edges:
                return Callers(edges, source, "; ".join(notes), seconds)
            notes.append(f"{source} at {urlsplit(url).hostname} knows of no request")
        return Callers((), told, "; ".join(notes), seconds if told else 0)


def _by_kiali(url: str, namespace: str, seconds: int) -> Iterator[Edge]:
    """Kiali's graph of workloads and Services, in its Cytoscape form.

    Of a namespace alone it tells what sidecars in it counted. What goes to pods without one is counted where it comes
    from, so the namespaces of the gateway are asked for too.
    """
    asked = {
        "namespaces": ",".join((namespace, *_of_gateway(url, namespace))),
        "graphType": "workload",
        "injectServiceNodes": "true",
        "duration": f"{seconds}s",
    }
    elements = _asked(f"{url}/api/namespaces/graph?{urlencode(asked, quote_via=quote)}")["elements"]
    nodes = {node["data"]["id"]: node["data"] for node in elements["nodes"]}
    for edge in (entry["data"] for entry in elements.get("edges") or ()):
        node = nodes[edge["target"]]
        target = node.get("service", "") if node.get("namespace") == namespace else ""
        rates = edge.get("traffic", {}).get("rates", {})
        if target and "http" in rates:
            errors = float(rates.get("httpPercentErr", 0)) / 100
            yield Edge(_name(nodes[edge["source"]]), target, float(rates["http"]), errors)


def _of_gateway(url: str, namespace: str) -> list[str]:
    """Where the gateway can be, of the namespaces that this token may see."""
    possible = {ISTIO, Gateway().name.rpartition("/")[0]} - {namespace}
    return sorted(possible & {str(one["name"]) for one in _asked(f"{url}/api/namespaces")})


def _asked(url: str) -> Any:
    answer = fetch(url, TIMEOUT_S, _authorization())
    if answer.status != HTTPStatus.OK:
        raise ValueError(f"it answered {answer.status}")
    return json.loads(answer.body)


def _name(node: Labels) -> str:
    return str(node.get("workload") or node.get("service") or node.get("app") or "unknown")


def _by_prometheus(url: str, namespace: str, seconds: int) -> Iterator[Edge]:
    selected = f'istio_requests_total{{reporter="source",destination_service_namespace={json.dumps(namespace)}}}'
    by = "source_workload,destination_service_name,response_code"
    totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for entry in query(url, f"sum by ({by}) (rate({selected}[{seconds}s]))", TIMEOUT_S):
        labels, rate = entry["metric"], float(entry["value"][1])
        total = totals[labels.get("source_workload", "unknown"), labels["destination_service_name"]]
        total[0] += rate
        total[1] += rate if labels.get("response_code", "").startswith("5") else 0.0
    for (source, target), (requests, errors) in totals.items():
        yield Edge(source, target, requests, errors / requests if requests else 0.0)


def _authorization() -> dict[str, str]:
    file = os.environ.get("SEAWAY_KIALI_TOKEN_FILE", "")
    return {"authorization": f"Bearer {Path(file).read_text(encoding='utf-8').strip()}"} if file else {}
