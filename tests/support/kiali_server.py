"""Kiali itself, outside a cluster: it looks at an API server by a kubeconfig, and at a Prometheus."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from free_ports import free_ports
from web_program import web_program

PROGRAM = "kiali"  # built from github.com/kiali/kiali v1.89 by `go build`; its pages are not in that module


@contextmanager
def kiali(kubeconfig: Path, prometheus: str, folder: Path) -> Iterator[str]:
    """The address of a running one, its files in `folder`. The test skips where the program is missing."""
    program = shutil.which(PROGRAM)
    if program is None:
        pytest.skip(f"there is no {PROGRAM} on PATH, which `go build` makes of github.com/kiali/kiali v1.89")
    port, metrics = free_ports(2)
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "index.html").touch()
    (folder / "kiali.yaml").write_text(yaml.safe_dump(configuration(kubeconfig, prometheus, folder, port, metrics)))
    address = f"http://127.0.0.1:{port}/kiali"
    with web_program([program, "-config", str(folder / "kiali.yaml")], f"{address}/healthz", folder / "kiali.log"):
        yield address


def configuration(kubeconfig: Path, prometheus: str, folder: Path, port: int, metrics: int) -> dict[str, object]:
    return {
        "in_cluster": False,
        "istio_namespace": "istio-system",
        "auth": {"strategy": "anonymous"},
        "deployment": {
            "remote_secret_path": str(kubeconfig), "cluster_wide_access": True, "namespace": "istio-system",
        },
        "server": {
            "address": "127.0.0.1", "port": port, "web_root": "/kiali",
            "static_content_root_directory": str(folder / "pages"),
            "observability": {"metrics": {"enabled": False, "port": metrics}},
        },
        "external_services": {
            "prometheus": {"url": prometheus}, "grafana": {"enabled": False}, "tracing": {"enabled": False},
            "istio": {"istio_api_enabled": False, "component_status": {"enabled": False}},
        },
        "kubernetes_config": {"cache_enabled": True},
    }  # fmt: skip
