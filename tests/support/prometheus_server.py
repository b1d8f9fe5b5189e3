"""A real Prometheus on loopback that scrapes one page, and that page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from free_ports import free_port
from http_server import serving
from web_program import web_program

SCRAPE_S = 0.5
CONFIG = """
global: {{scrape_interval: {interval}ms, scrape_timeout: {interval}ms}}
scrape_configs:
- job_name: gateway
  metrics_path: /stats/prometheus
  static_configs: [{{targets: ["{target}"]}}]
"""


@dataclass
class Page:
    """What the gateway tells; empty: it does not answer."""

    text: str = ""
    url: str = ""


@contextmanager
def answering(answer: Callable[[str], bytes | None]) -> Iterator[str]:
    """Serve what `answer` gives for a path, 503 where that is None; yields host:port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = answer(self.path)
            self.send_response(503 if content is None else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *arguments: object) -> None:
            """Scrapes are not printed."""

    with serving(Handler) as server:
        yield f"127.0.0.1:{server.server_port}"


@contextmanager
def page() -> Iterator[Page]:
    """Serve a page in Prometheus' text format."""
    shown = Page()
    with answering(lambda path: shown.text.encode() or None) as address:
        shown.url = f"http://{address}/stats/prometheus"
        yield shown


@contextmanager
def prometheus(target: str, folder: Path, config: str = CONFIG) -> Iterator[str]:
    """Run Prometheus on `target` (host:port), which `config` scrapes each `interval` ms; yields its URL."""
    (folder / "prometheus.yml").write_text(config.format(interval=int(SCRAPE_S * 1000), target=target))
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with _running("prometheus", options, folder) as url:
        yield url


@contextmanager
def pushgateway(folder: Path) -> Iterator[str]:
    """Run a Pushgateway; yields its URL."""
    with _running("prometheus-pushgateway", [], folder) as url:
        yield url


@contextmanager
def _running(name: str, options: list[str], folder: Path) -> Iterator[str]:
    program = shutil.which(name)
    if not program:
        pytest.skip(f"{name} is missing (Debian: {name})")
    address, log = f"127.0.0.1:{free_port()}", folder / f"{name}.log"
    command = [program, *options, f"--web.listen-address={address}", "--log.level=warn"]
    with web_program(command, f"http://{address}/-/ready", log):
        yield f"http://{address}"
