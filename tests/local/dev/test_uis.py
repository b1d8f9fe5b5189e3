"""Other programs' own pages behind the page: each the real one, asked through the one address, and gone with it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import browser as browsing
import pandas as pd
import psutil
import pytest
from dev_pages import artifact, step, write_run
from seaway.monitoring import DriftSpec, drift
from seaway.platforms.mlflow import MlflowRegistry
from torch.utils.tensorboard import SummaryWriter

RUN = "20260102-030405-ab12"
WAIT_S = 300
REPOSITORY = "project: shop\nprovider: local\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\n"


@dataclass(frozen=True)
class Dev:
    """A running page."""

    process: "subprocess.Popen[str]"
    port: int
    home: Path
    link: str

    def ask(self, path: str, host: str = "127.0.0.1", method: str = "GET", **headers: str) -> "Answer":
        """An answer as the browser has it: the host's name in the header, the token only where it is given."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        connection.request(method, path, headers={"Host": f"{host}:{self.port}", **headers})
        found = connection.getresponse()
        return Answer(found.status, found.read().decode(errors="replace"), dict(found.getheaders()))

    def signed(self, path: str, host: str = "127.0.0.1") -> "Answer":
        return self.ask(path, host, Authorization=f"Bearer {(self.home / 'dev' / 'token').read_text()}")

    def opened(self, name: str) -> str:
        """Where a program is opened, once it answers."""
        end = time.monotonic() + WAIT_S
        while (answer := self.signed(f"/uis/{name}")).status != 303:
            assert (answer.status, time.monotonic() < end) == (200, True), answer.text
            time.sleep(0.2)
        return answer.headers["location"]


@dataclass(frozen=True)
class Answer:
    """Status, text and headers."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    home = tmp_path_factory.mktemp("programs") / ".seaway"
    fill(home)
    process, link = started(home)
    yield Dev(process, int(link.split(":")[2].split("/")[0]), home, link)
    process.terminate()
    process.wait(60)


def started(home: Path) -> tuple["subprocess.Popen[str]", str]:
    command = [sys.executable, "-c", "from seaway.cli import main; main()", "dev", "--port", "0"]
    environment = {**os.environ, "SEAWAY_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    process = subprocess.Popen(command, cwd=home.parent, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    told = process.stdout.readline() + process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/open\?ticket=\S+", told)
    assert found, told
    return process, found[0]


def fill(home: Path) -> None:
    """A tracked training, curves, a check of drift and a feature repository, as steps leave them."""
    made = home / "artifacts" / RUN
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAWAY_HOME", str(home))
        patch.setenv("SEAWAY_RUN_ID", RUN)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        MlflowRegistry().log_training(
            "seen-by-mlflow", {"lr": 0.1}, {"auc": 0.75}, [{"epoch": 1, "loss": 0.5}], "0" * 64
        )
    with SummaryWriter(str(made / "train" / "tensorboard")) as curves:
        curves.add_scalar("seen_by_tensorboard", 0.5, 1)
    times = pd.date_range("2026-01-01", periods=100, freq="h", tz="UTC")
    rows = pd.DataFrame({"amount": range(100), "event_timestamp": times})
    drift(rows, rows, DriftSpec(["amount"]), made / "check")
    features(made / "repository")
    outputs = {name: artifact(made / name, "Artifact") for name in ("check", "repository")}
    write_run(home, RUN, step(1, "watch", outputs), pipeline="watched-shop")


def features(folder: Path) -> None:
    from feast import Entity, FeatureStore, ValueType

    folder.mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(REPOSITORY)
    FeatureStore(str(folder)).apply([Entity(name="seen_by_feast", value_type=ValueType.STRING)])


PROGRAMS: dict[str, tuple[str, str]] = {  # what is asked of each, and what it tells of this folder only
    "mlflow": ("/ajax-api/2.0/mlflow/experiments/search?max_results=10", '"name": "seaway"'),
    "tensorboard": ("/data/plugin/scalars/tags", "seen_by_tensorboard"),
    "evidently": ("/api/projects", "watched-shop"),
    "feast": ("/projects-list.json", "shop"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_started_by_its_first_look_and_shows_this_folder(dev: Dev, name: str) -> None:
    host, (path, told) = f"{name}.localhost", PROGRAMS[name]
    assert dev.signed(path, host).status == 503  # nothing starts it but the page
    link = dev.opened(name)
    assert link.startswith(f"http://{host}:{dev.port}/seaway-open?ticket=")
    found = dev.signed(path, host)
    assert (found.status, told in found.text) == (200, True), found.text[:2000]
    assert "default-src 'self'" in found.headers["content-security-policy"]
    assert "runs" in dev.signed("/uis").text


def test_nobody_comes_in_without_a_link_that_opens_once_and_opens_that_alone(dev: Dev) -> None:
    host = "mlflow.localhost"
    ticket = dev.opened("mlflow").partition(f":{dev.port}")[2]
    refused = dev.ask("/", host)
    assert (refused.status, refused.headers["location"]) == (303, f"http://127.0.0.1:{dev.port}/uis/mlflow")
    assert dev.ask(ticket, "feast.localhost").status == 403
    assert dev.ask(ticket.replace("/seaway-open", "/open")).status == 403
    cookie = dev.ask(ticket, host).headers["set-cookie"].partition(";")[0]
    assert dev.ask(ticket, host).status == 403
    assert dev.ask("/version", host, Cookie=cookie).status == 200
    assert dev.ask("/", "feast.localhost", Cookie=cookie).status == 303
    assert dev.ask("/", Cookie=cookie).headers["location"] == "/sign-in"
    for origin in ({}, {"Origin": "http://evil.example"}, {"Origin": f"http://127.0.0.1:{dev.port}"}):
        assert dev.ask("/graphql", host, "POST", Cookie=cookie, **origin).status == 403
    ours = {"Origin": f"http://{host}:{dev.port}", "Content-Type": "application/json"}
    assert dev.ask("/graphql", host, "POST", Cookie=cookie, **ours).status not in (303, 403)
    for other in ("other.localhost", "mlflow", "mlflow.localhost.evil.example"):
        assert dev.ask("/", other, Cookie=cookie).status == 421


def test_a_program_with_nothing_to_show_or_that_is_not_installed_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dev_pages import signed_in
    from seaway.dev.uis import known

    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = signed_in(tmp_path)
    for name, told in {"mlflow": "track_as", "tensorboard": "curves", "evidently": "monitor_drift"}.items():
        answer = client.get(f"/uis/{name}")
        assert (answer.status_code, told in answer.text) == (409, True), answer.text
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    assert "has its own pages" in client.get("/uis/mlflow").text
    monkeypatch.setattr(known, "find_spec", lambda name: None)
    assert "seaway[monitoring]" in client.get("/uis/evidently").text
    assert "seaway[monitoring]" in client.get("/uis").text
    assert client.get("/uis/other").status_code == 404


@pytest.mark.skipif(not browsing.PROGRAM, reason="Chromium is not on PATH; Debian has it as chromium.")
def test_a_reader_sees_each_in_a_browser(dev: Dev, tmp_path: Path) -> None:
    seen = {"mlflow": "seaway", "tensorboard": "seen_by_tensorboard", "evidently": "watched-shop", "feast": "shop"}
    with browsing.browser(tmp_path / "profile") as window:
        window.visit(dev.link)
        for name, told in seen.items():
            dev.opened(name)
            window.visit(f"http://127.0.0.1:{dev.port}/uis/{name}")
            wait(window, told)
            assert window.evaluate("location.hostname") == f"{name}.localhost"


TEXT = """(function all(node) {
    const own = node.innerText || "";
    return own + [...node.querySelectorAll("*")].map(one => one.shadowRoot ? all(one.shadowRoot) : "").join("")
        + [...node.children || []].map(one => one.innerText || "").join("");
})(document.body)"""


def wait(window: browsing.Browser, told: str) -> None:
    """Until it is read; a page that leads elsewhere just now has no text."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        with suppress(RuntimeError):
            if told in str(window.evaluate(TEXT)):
                return
        time.sleep(0.2)
    raise AssertionError(told)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_ends_with_the_page_however_that_ends(tmp_path: Path, number: signal.Signals) -> None:
    home = tmp_path / ".seaway"
    with SummaryWriter(str(home / "artifacts" / "a" / "tensorboard")) as curves:
        curves.add_scalar("loss", 0.5, 1)
    process, link = started(home)
    Dev(process, int(link.split(":")[2].split("/")[0]), home, link).opened("tensorboard")
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(below) >= 2
    process.send_signal(number)
    process.wait(60)
    _, left = psutil.wait_procs(below, WAIT_S)
    assert not left
