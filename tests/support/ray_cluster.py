"""A real Ray cluster of one machine, with a token, in a folder of the test's own."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
from free_ports import free_ports
from places import LOCAL_PROGRAMS, SUPPORT
from seaway.platforms.ray.jobs import JobServer

MARK = "SEAWAY_TEST_RAY"  # in the environment of all its processes
CPUS = 4
WAIT_S = 180.0
ATTEMPTS = 3  # a raylet gives its agents 15 s to start, whatever the machine has to do
PORTS = (
    "port", "dashboard-port", "metrics-export-port", "dashboard-agent-grpc-port", "dashboard-agent-listen-port",
    "runtime-env-agent-port", "ray-client-server-port", "node-manager-port", "object-manager-port",
)  # fmt: skip


@contextmanager
def running() -> Iterator["RayCluster"]:
    """In a folder with a short name: Ray's sockets lie deep below it."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        cluster = RayCluster(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.end()


@dataclass
class RayCluster:
    """A head with four cores; jobs find the tests' own trainers on their path."""

    folder: Path
    token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    url: str = ""

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    @property
    def server(self) -> JobServer:
        """As its owner asks it."""
        return JobServer(self.url, {"authorization": f"Bearer {self.token}"})

    def start(self) -> None:
        self.token_file.touch(0o600)
        self.token_file.write_text(self.token)
        for _ in range(ATTEMPTS):
            done = self._start()
            if done.returncode == 0 and self._answers_in_time():
                return
            self.end()
        raise AssertionError(f"Ray did not start {ATTEMPTS} times:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")

    def _start(self) -> "subprocess.CompletedProcess[str]":
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.url = f"http://127.0.0.1:{ports['dashboard-port']}"
        return subprocess.run(
            [
                sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--head",
                "--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", "--disable-usage-stats",
                "--min-worker-port=0", "--max-worker-port=0",
                f"--num-cpus={CPUS}", "--num-gpus=0", "--object-store-memory=80000000", f"--temp-dir={self.folder}/s",
                *(f"--{name}={port}" for name, port in ports.items()),
            ],
            env=self._environment(), capture_output=True, text=True, check=False, timeout=WAIT_S,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("SEAWAY_", "RAY_"))}
        return {
            **ours,
            MARK: str(self.folder),
            "PYTHONPATH": f"{SUPPORT}:{LOCAL_PROGRAMS}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
        }

    def _answers_in_time(self) -> bool:
        deadline = time.monotonic() + WAIT_S
        while not self.answers():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def answers(self) -> bool:
        headers = self.server.headers
        try:
            asked = urllib3.request("GET", f"{self.url}/api/jobs/", headers=headers, retries=False, timeout=5.0)
        except urllib3.exceptions.HTTPError:
            return False
        return asked.status == 200

    def jobs(self) -> list[str]:
        """Names of all that it remembers."""
        asked = urllib3.request("GET", f"{self.url}/api/jobs/", headers=self.server.headers)
        return [one["submission_id"] for one in asked.json() if one["submission_id"]]

    def state(self, job: str) -> str:
        """What Ray says of a job; empty where there is none."""
        found = self.server.show(job)
        return found.status if found else ""

    def stop_dashboard(self) -> list[str]:
        """End what answers at the address; returns its command line."""
        [(pid, command)] = [
            each for each in self._processes() if any("dashboard/dashboard.py" in word for word in each[1])
        ]
        os.kill(pid, signal.SIGKILL)
        return command

    def start_dashboard(self, command: list[str]) -> None:
        subprocess.Popen(
            command, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def kill_actor(self) -> None:
        """As a node that is lost takes it along: the worker that holds a bundle, not what it has started."""
        [(pid, _), *_] = [each for each in self._processes() if each[1][0].startswith("ray::Node")]
        os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        while processes := self._processes():
            for pid, _ in processes:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)

    def _processes(self) -> list[tuple[int, list[str]]]:
        """Those of the cluster and its jobs that are no zombies: id and command line."""
        wanted, found = f"{MARK}={self.folder}".encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                marked = wanted in (process / "environ").read_bytes().split(b"\0")
                if marked and ") Z " not in (process / "stat").read_text():
                    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                    found.append((int(process.name), words[:-1] or [""]))
        return found
