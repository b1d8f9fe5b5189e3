"""The graph around an endpoint, by Kiali itself: it looks at this API server and at a real Prometheus."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from kiali_server import kiali
from kubernetes import dynamic
from kubernetes.dynamic.exceptions import ConflictError
from prometheus_server import SCRAPE_S, Page, page, prometheus
from seaway.platforms.kubernetes.metrics.kiali import KialiServiceGraph
from seaway.serving import Arm, DeployedEndpoint

ARMS = {arm: Arm(arm, arm, arm) for arm in ("stable", "candidate")}
ENDPOINT = DeployedEndpoint("flights", "r1", Path("/none"), arms=ARMS)
LONGEST_S = 300.0


def istio_says(gateway: Page, namespace: str, requests: int) -> None:
    """What Envoy counts at the gateway, one of five requests to the candidate failing."""
    gateway.text = "".join(
        line(namespace, arm, code, count)
        for arm, code, count in (
            ("stable", 200, requests),
            ("candidate", 200, requests * 4 // 5),
            ("candidate", 500, requests // 5),
        )
    )


def line(namespace: str, arm: str, code: int, count: int) -> str:
    """One series as Istio's standard metrics have it (istio.io, "Istio Standard Metrics")."""
    to = f"flights-{arm}"
    labels = {
        "reporter": "source", "source_workload": "ingress", "source_workload_namespace": "istio-system",
        "source_canonical_service": "ingress", "source_canonical_revision": "latest", "source_app": "ingress",
        "source_version": "latest", "source_cluster": "Kubernetes", "destination_cluster": "Kubernetes",
        "destination_workload": to, "destination_workload_namespace": namespace, "destination_app": to,
        "destination_version": "v1", "destination_canonical_service": to, "destination_canonical_revision": "v1",
        "destination_service": f"{to}.{namespace}.svc.cluster.local", "destination_service_name": to,
        "destination_service_namespace": namespace, "request_protocol": "http", "response_code": code,
        "response_flags": "-", "grpc_response_status": "", "connection_security_policy": "none",
    }  # fmt: skip
    told = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"istio_requests_total{{{told}}} {count}\n"


@pytest.fixture
def istio_system(cluster: dynamic.DynamicClient) -> None:
    """Where the gateway is."""
    with suppress(ConflictError):
        cluster.resources.get(api_version="v1", kind="Namespace").create({"metadata": {"name": "istio-system"}})


@pytest.mark.usefixtures("istio_system")
def test_kialis_own_answer_is_read(server: Path, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "prometheus").mkdir()
    with page() as gateway, prometheus(gateway.url.split("/")[2], tmp_path / "prometheus") as metrics:
        begun = time.monotonic()
        istio_says(gateway, namespace, 0)
        with kiali(server, metrics, tmp_path / "kiali") as address:
            graphs = KialiServiceGraph(namespace, address, "")
            while not (told := graphs.read(ENDPOINT, 60)).edges:
                assert time.monotonic() < begun + LONGEST_S, told.note
                istio_says(gateway, namespace, int(100 * (time.monotonic() - begun)))
                time.sleep(SCRAPE_S)
    assert told.source == "kiali", told.note
    assert {edge.target: edge.health for edge in told.edges} == {
        "flights-stable": "healthy",
        "flights-candidate": "failing",
    }
    assert {edge.source for edge in told.edges} == {"ingress"}
